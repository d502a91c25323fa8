/** Why a socket is closed (RFC 6455 §7.4, protocol.md §1.4). */
export const closeCode = {
  normal: 1000,
  protocolError: 1002,
  /** The socket went without a close. It is never sent. */
  abnormal: 1006,
  policy: 1008,
  tooBig: 1009,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  /** The credential of the session is no longer valid. */
  revoked: 4001,
} as const;

export interface Close {
  readonly code: number;
  readonly reason: string;
}
