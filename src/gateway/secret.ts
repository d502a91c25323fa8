import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { Event } from '../../events/index.js';
import { GATEWAY, type Views } from '../../projections/index.js';
import { attempt } from '../attempt.js';
import { type GatewaySecret, makeSecret } from '../credentials/gateway-secret.js';
import type { Keys } from '../credentials/keys.js';
import { replaceFile } from '../files.js';
import type { Entropy } from '../ports.js';

/** The shared secret in force, as a handshake compares with it. */
export interface Secret {
  readonly value: string;
  /** Its fingerprint. */
  readonly credential: string;
  /** The event since which it is in force. */
  readonly since: () => number | undefined;
}

/** A secret that is made and kept, and not in force before its event is on the disk. */
export interface Replacement {
  readonly credential: string;
  /** Where it is kept. */
  readonly source: string;
  /** There was no event: what was kept before is kept again. */
  undo(): void;
}

export interface SecretOptions {
  readonly secret: GatewaySecret | undefined;
  /** Where a secret that we make is kept. */
  readonly file: string;
  readonly keys: Keys;
  readonly entropy: Entropy;
  readonly views: () => Views;
}

/** Which secret is in force: the one it began with, until the log says that another one is. */
export class SecretInForce {
  current: Secret | undefined;
  private prepared: { readonly value: string; readonly credential: string } | undefined;

  constructor(private readonly options: SecretOptions) {
    const { secret, keys } = options;
    this.current = secret && this.secretOf(secret.value, keys.fingerprint(secret.value));
  }

  /** Makes another one and keeps it: if we end before its event is written, the next start finds it and records it. */
  prepare(): Replacement {
    const { file, keys, entropy } = this.options;
    const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    const { value } = makeSecret(file, entropy);
    const credential = keys.fingerprint(value);
    this.prepared = { value, credential };
    const undo = (): void => {
      this.prepared = undefined;
      attempt(() => (before === undefined ? rmSync(file, { force: true }) : replaceFile(file, before, 0o600)));
    };
    return { credential, source: file, undo };
  }

  /** Listens to the log. */
  enforce(event: Event): void {
    if (event.type !== 'gateway.secret-rotated' || event.data.to !== this.prepared?.credential) return;
    this.current = this.secretOf(this.prepared.value, this.prepared.credential);
    this.prepared = undefined;
  }

  private secretOf(value: string, credential: string): Secret {
    let since: number | undefined;
    return {
      value,
      credential,
      since: () => {
        since ??= this.options.views().gateway.get(GATEWAY)?.secret?.seq;
        return since;
      },
    };
  }
}
