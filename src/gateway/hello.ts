import type { DeviceToken } from '../../projections/index.js';
import type { Settings } from '../config/settings.js';
import type { Keys } from '../credentials/keys.js';
import { ADMIN } from '../decisions/scopes.js';
import { limits } from '../limits.js';
import { Encoded, type StateVersion } from '../protocol/frames.js';
import { issuedAt } from '../protocol/pairing.js';
import { version } from '../version.js';
import { eventsFor } from './broadcast.js';
import { canvasUrl } from './canvas.js';
import { may, type Session } from './session.js';

/** What a client reads of the gateway when it comes in, as it is then. */
export interface Snapshot {
  /** Lists in JSON, and how often they have changed. */
  readonly presence: () => string;
  readonly health: () => string;
  /** Ms since somebody looked. */
  readonly healthAge: () => number;
  readonly versions: () => StateVersion;
  /** Ms since the gateway began to serve. */
  readonly uptime: () => number;
}

export interface HelloParts {
  readonly boot: string;
  readonly settings: Settings;
  readonly methods: readonly string[];
  readonly snapshot: Snapshot;
  readonly keys: Keys;
}

/** The answer to a connect that was let in (protocol.md §7), in the closed shape of its dialect. Most of it is the same for all and encoded once. */
export class Hello {
  private readonly features: { readonly 3: string; readonly 4: string };
  private readonly policy: string;

  constructor(private readonly parts: HelloParts) {
    const features = (dialect: 3 | 4): string => JSON.stringify({ methods: parts.methods, events: eventsFor(dialect) });
    this.features = { 3: features(3), 4: features(4) };
    this.policy = JSON.stringify({
      maxPayload: parts.settings.maxPayloadBytes,
      maxBufferedBytes: limits.wire.maxBufferedBytes,
      tickIntervalMs: limits.wire.tickMs,
    });
  }

  /** `token`: the device token that this connect is told, if it is told one. `capability`: by which a node may look at the canvas. */
  payload(session: Session, token: DeviceToken | undefined, capability?: string): Encoded {
    const { dialect, connection } = session;
    const server = JSON.stringify({
      version,
      connId: connection,
      ...(dialect === 4 ? { bootId: this.parts.boot } : {}),
    });
    const auth = this.auth(session, token);
    return new Encoded(
      `{"type":"hello-ok","protocol":${dialect},"server":${server},"features":${this.features[dialect]},"snapshot":${this.snapshot(session)}${this.canvas(session, capability)}${
        auth === undefined ? '' : `,"auth":${JSON.stringify(auth)}`
      },"policy":${this.policy}}`,
    );
  }

  private canvas({ dialect, host }: Session, capability: string | undefined): string {
    const url = canvasUrl(this.parts.settings.canvas, host, capability);
    if (url === undefined) return '';
    return dialect === 4
      ? `,"pluginSurfaceUrls":${JSON.stringify({ canvas: url })}`
      : `,"canvasHostUrl":${JSON.stringify(url)}`;
  }

  private snapshot(session: Session): string {
    const { settings, snapshot } = this.parts;
    const rest = {
      stateVersion: snapshot.versions(),
      uptimeMs: snapshot.uptime(),
      ...(may(session, ADMIN) ? { configPath: settings.paths.config, stateDir: settings.paths.state } : {}),
      sessionDefaults: {
        defaultAgentId: 'main',
        mainKey: 'main',
        mainSessionKey: 'agent:main:main',
        scope: 'per-sender',
      },
      authMode: settings.auth.mode,
    };
    return `{"presence":${snapshot.presence()},"health":${snapshot.health()},${JSON.stringify(rest).slice(1)}`;
  }

  /**
   * The token of the device, derived anew. A v3 client stores what it reads here beside the token, so it is told the token's
   * scopes; a v4 client is told those of the session.
   */
  private auth({ dialect, device, role, scopes }: Session, token: DeviceToken | undefined) {
    if (device === undefined || token === undefined) return dialect === 4 ? { role, scopes } : undefined;
    const deviceToken = this.parts.keys.deviceToken(device, role, token.token);
    return { deviceToken, role, scopes: dialect === 4 ? scopes : token.scopes, issuedAtMs: issuedAt(token) };
  }
}
