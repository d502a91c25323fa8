import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { attempt } from '../attempt.js';
import { version } from '../version.js';
import type { Identity } from './identity.js';

/* A client of the protocol, for the command line: connect, call, close. */

export interface ClientOptions {
  readonly url: string;
  readonly scopes: readonly string[];
  readonly mode: 'cli' | 'probe';
  readonly token?: string | undefined;
  readonly password?: string | undefined;
  readonly deviceToken?: string | undefined;
  /** Absent on the socket file, where the key proves nothing more. */
  readonly identity?: Identity | undefined;
  readonly timeoutMs: number;
}

export interface HelloOk {
  readonly protocol: number;
  readonly server: { readonly version: string; readonly connId: string };
  readonly auth?: { readonly deviceToken?: string; readonly role: string; readonly scopes: readonly string[] };
  readonly snapshot: { readonly uptimeMs?: number };
}

interface WireError {
  readonly code: string;
  readonly message: string;
  readonly details?: { readonly code?: string; readonly requestId?: string } & Readonly<Record<string, unknown>>;
}

/** The gateway said no to a call. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  constructor(
    readonly method: string,
    readonly error: WireError,
  ) {
    super(error.message);
  }
}

/** The gateway was reached and did not let us in. */
export class ConnectRefused extends Error {
  override readonly name = 'ConnectRefused';
  constructor(
    readonly error: WireError | undefined,
    readonly code: number,
    readonly reason: string,
  ) {
    super(error?.message ?? `closed (${code}): ${reason || 'no reason'}`);
  }
}

/** Nobody answered. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly event?: string;
  readonly ok?: boolean;
  readonly payload?: unknown;
  readonly error?: WireError;
}

const NO_GATEWAY = 'what answers there does not speak the protocol of a gateway';

const frameIn = (data: WebSocket.RawData): Frame | undefined => {
  const frame = attempt(() => JSON.parse(String(data)) as Frame | null);
  return typeof frame === 'object' ? (frame ?? undefined) : undefined;
};

const MAX_PAYLOAD = 100 * 1024 * 1024;
const PROTOCOLS = { minProtocol: 3, maxProtocol: 4 };

export class Client {
  private readonly waiting = new Map<
    string,
    { resolve: (payload: unknown) => void; reject: (error: Error) => void; method: string }
  >();

  private constructor(
    private readonly socket: WebSocket,
    readonly hello: HelloOk,
    private readonly timeoutMs: number,
  ) {
    socket.on('message', (data) => {
      const frame = frameIn(data);
      if (frame === undefined) this.fail(new Unreachable(NO_GATEWAY));
      else this.settle(frame);
    });
    socket.on('close', (code, reason) =>
      this.fail(new Unreachable(`gateway closed (${code}): ${String(reason) || 'no reason'}`)),
    );
  }

  /** Connects and is let in; throws Unreachable or ConnectRefused. */
  static connect(options: ClientOptions): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(options.url, { maxPayload: MAX_PAYLOAD, perMessageDeflate: false });
      const timer = setTimeout(
        () => give(new Unreachable(`gateway timeout after ${options.timeoutMs}ms`)),
        options.timeoutMs,
      );
      let refused: WireError | undefined;
      const give = (error: Error): void => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on('error', () => {});
        socket.terminate();
        reject(error);
      };
      socket.on('error', (error) => give(new Unreachable(error.message)));
      socket.on('close', (code, reason) =>
        give(
          refused || code !== 1006
            ? new ConnectRefused(refused, code, String(reason))
            : new Unreachable('gateway closed (1006)'),
        ),
      );
      socket.on('message', (data) => {
        const frame = frameIn(data);
        if (frame === undefined) give(new Unreachable(NO_GATEWAY));
        else if (frame.event === 'connect.challenge')
          socket.send(JSON.stringify(connectFrame(options, frame.payload as { nonce: string; ts: number })));
        else if (frame.type === 'res' && frame.ok === true) {
          clearTimeout(timer);
          socket.removeAllListeners();
          socket.on('error', () => {});
          resolve(new Client(socket, frame.payload as HelloOk, options.timeoutMs));
        } else if (frame.type === 'res') refused = frame.error;
      });
    });
  }

  call(method: string, params: unknown): Promise<unknown> {
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Unreachable(`gateway timeout after ${this.timeoutMs}ms`)),
        this.timeoutMs,
      );
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          this.waiting.delete(id);
          settle(value);
        };
      this.waiting.set(id, { method, resolve: done(resolve), reject: done(reject) });
      this.socket.send(JSON.stringify({ type: 'req', id, method, params }));
    });
  }

  close(): void {
    this.socket.removeAllListeners('close');
    this.socket.close(1000);
  }

  private settle({ type, id, ok, payload, error }: Frame): void {
    const call = type === 'res' && id !== undefined ? this.waiting.get(id) : undefined;
    if (call === undefined) return;
    if (ok === true) call.resolve(payload);
    else call.reject(new CallRefused(call.method, error ?? { code: 'UNAVAILABLE', message: 'refused' }));
  }

  private fail(error: Error): void {
    for (const call of this.waiting.values()) call.reject(error);
  }
}

const connectFrame = (
  { scopes, mode, token, password, deviceToken, identity }: ClientOptions,
  challenge: { readonly nonce: string; readonly ts: number },
) => {
  const client = { id: 'cli', version, platform: process.platform, mode };
  const auth = {
    ...(token === undefined ? {} : { token }),
    ...(password === undefined ? {} : { password }),
    ...(deviceToken === undefined ? {} : { deviceToken }),
  };
  const signedAt = challenge.ts;
  const signed =
    identity &&
    [
      'v3',
      identity.deviceId,
      client.id,
      mode,
      'operator',
      scopes.join(','),
      signedAt,
      token ?? deviceToken ?? '',
      challenge.nonce,
      client.platform,
      '',
    ].join('|');
  const device =
    identity && signed
      ? {
          id: identity.deviceId,
          publicKey: identity.publicKey,
          signature: identity.sign(signed),
          signedAt,
          nonce: challenge.nonce,
        }
      : undefined;
  return {
    type: 'req',
    id: randomUUID(),
    method: 'connect',
    params: { ...PROTOCOLS, client, role: 'operator', scopes, caps: [], auth, device },
  };
};
