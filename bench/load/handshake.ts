import { TOKEN } from '../client.js';
import { type Device, deviceOf } from './devices.js';
import { type Listener, type Place, Wire } from './wire.js';

/* A whole connect: upgrade, challenge, signature, hello-ok. */

export interface Visit extends Place {
  /** Number of the device. */
  readonly device: number;
  readonly scopes?: readonly string[] | undefined;
  /** What it says its credential is. */
  readonly token?: string | undefined;
  readonly spoilSignature?: boolean | undefined;
}

export type Outcome =
  | { readonly in: true; readonly wire: Wire; readonly ms: number }
  | {
      readonly in: false;
      readonly why: string;
      /** Under which an operator finds it, if it has to wait for one. */
      readonly requestId?: string | undefined;
      readonly ms: number;
    };

const TIMEOUT_MS = 30_000;
const SCOPES = ['operator.admin', 'operator.approvals', 'operator.pairing'];
const CLIENT = { id: 'cli', mode: 'cli', platform: 'linux', version: 'bench' };
const SILENT: Listener = { text: () => {}, closed: () => {} };

/** The frame that answers a challenge. Protocol 3 or 4, as the server likes. */
export const connectFrame = (visit: Visit, challenge: { readonly nonce: string; readonly ts: number }): string => {
  const { device: number, scopes = SCOPES, token = TOKEN, spoilSignature } = visit;
  const device: Device = deviceOf(number);
  const { nonce, ts } = challenge;
  const text = [
    'v3',
    device.id,
    CLIENT.id,
    CLIENT.mode,
    'operator',
    scopes.join(','),
    ts,
    token,
    nonce,
    CLIENT.platform,
  ];
  const signature = device.sign(`${text.join('|')}|${spoilSignature ? 'x' : ''}`);
  return JSON.stringify({
    type: 'req',
    id: 'c',
    method: 'connect',
    params: {
      minProtocol: 3,
      maxProtocol: 4,
      client: CLIENT,
      role: 'operator',
      scopes,
      caps: [],
      auth: { token },
      device: { id: device.id, publicKey: device.publicKey, signature, signedAt: ts, nonce },
    },
  });
};

const challengeIn = (head: Buffer): { nonce: string; ts: number } =>
  (JSON.parse(head.toString()) as { payload: { nonce: string; ts: number } }).payload;

const RESPONSE = '{"type":"res"';

/** Resolves once it is let in or turned away; whoever is let in is silent until somebody else listens. */
export const handshake = (visit: Visit, begun = performance.now()): Promise<Outcome> =>
  new Promise((resolve) => {
    let asked = false;
    let told: Omit<Extract<Outcome, { in: false }>, 'in' | 'ms'> | undefined;
    const end = (outcome: { why: string; requestId?: string | undefined }): void => {
      clearTimeout(timer);
      wire.listener = SILENT;
      resolve({ in: false, ...outcome, ms: performance.now() - begun });
    };
    const wire = new Wire(visit, {
      text: (head) => {
        if (!asked) {
          asked = true;
          return wire.send(connectFrame(visit, challengeIn(head)));
        }
        if (head.toString('latin1', 0, RESPONSE.length) !== RESPONSE) return;
        const text = head.toString('latin1', 0, 300);
        if (!text.includes('"ok":true')) {
          told = refusalIn(head.toString());
          return end(told);
        }
        clearTimeout(timer);
        wire.listener = SILENT;
        resolve({ in: true, wire, ms: performance.now() - begun });
      },
      closed: (how) => end(told ?? { why: how }),
    });
    const timer = setTimeout(() => {
      wire.drop();
      end({ why: 'timeout' });
    }, TIMEOUT_MS);
  });

const refusalIn = (text: string): { why: string; requestId?: string | undefined } => ({
  why: /"details":\{[^}]*?"code":"([^"]+)"/.exec(text)?.[1] ?? /"code":"([^"]+)"/.exec(text)?.[1] ?? text,
  requestId: /"requestId":"([^"]+)"/.exec(text)?.[1],
});
