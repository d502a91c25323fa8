import type { EventOf } from '../../../events/index.js';
import type { DeviceToken } from '../../../projections/index.js';
import type { Settings } from '../../config/settings.js';
import type { ConnectDenied } from '../../decisions/connect.js';
import type { Refusal } from '../../errors.js';
import type { ClosedBeforeConnect } from '../../logging/logging.js';
import type { Close } from '../../protocol/close-codes.js';
import type { Request, StateVersion } from '../../protocol/frames.js';
import type { Listening } from '../../transport/transport.js';
import type { Entrant } from '../core.js';
import type { Attempt } from '../limiter.js';
import type { Kept } from '../presence.js';
import type { Counted } from '../refusal-counts.js';
import type { RefusalRecord } from '../refusal-record.js';
import type { Ending } from '../session.js';

/*
 * What the process that writes the log and a worker say to each other, in JSON over the channel that Node opens between a process and its
 * child. Connections go by their ids.
 */

/** What a worker shows of the gateway; told anew when it has changed. */
export interface Shown {
  readonly presence: readonly Kept[];
  readonly health: string;
  /** When health was looked at (ms). */
  readonly healthAt: number;
  readonly versions: StateVersion;
  readonly failing: readonly string[];
}

/** The shared secret in force. */
export interface SecretTold {
  readonly value: string;
  readonly credential: string;
}

export interface Begin {
  readonly is: 'begin';
  readonly settings: Settings;
  readonly boot: string;
  readonly port: number;
  readonly secret: SecretTold | undefined;
  readonly shown: Shown;
  readonly uptimeMs: number;
}

export type ToWorker =
  | Begin
  | {
      readonly is: 'entered';
      readonly connection: string;
      readonly accepted: EventOf<'connection.accepted'>;
      readonly token: DeviceToken | undefined;
      readonly capability: string | undefined;
    }
  | { readonly is: 'denied'; readonly connection: string; readonly denied: ConnectDenied | Refusal }
  /** A frame for one. */
  | { readonly is: 'frame'; readonly connection: string; readonly frame: string }
  | { readonly is: 'join'; readonly connection: string; readonly topic: string }
  /** Nothing is done for these any more; each is told when it is closed. */
  | { readonly is: 'doomed'; readonly connections: readonly string[]; readonly ending: Ending }
  | { readonly is: 'end'; readonly connection: string; readonly code: number; readonly reason: string }
  /** Whether the log has it that a capability is used. */
  | { readonly is: 'canvas-used'; readonly capability: string; readonly recorded: boolean }
  /** A frame for all who joined a topic. */
  | { readonly is: 'publish'; readonly topic: string; readonly frame: string }
  | { readonly is: 'shown'; readonly shown: Shown }
  | { readonly is: 'secret'; readonly secret: SecretTold }
  | { readonly is: 'attempt'; readonly attempt: Attempt }
  | { readonly is: 'ping' }
  | { readonly is: 'stop' };

export type FromWorker =
  | { readonly is: 'listening'; readonly listening: readonly Listening[] }
  /** It cannot begin; `taken`: because somebody else has the port. */
  | {
      readonly is: 'failed';
      readonly why: string;
      readonly taken: Listening | undefined;
    }
  | { readonly is: 'admit'; readonly entrant: Entrant }
  | { readonly is: 'request'; readonly connection: string; readonly request: Request }
  | {
      readonly is: 'left';
      readonly connection: string;
      readonly close: Close;
      readonly ending: Ending | undefined;
    }
  | { readonly is: 'refused'; readonly refusal: RefusalRecord; readonly closed: ClosedBeforeConnect }
  /** By a capability, known by its digest, somebody looks at the canvas. */
  | { readonly is: 'canvas-use'; readonly capability: string }
  | { readonly is: 'counted'; readonly counted: Counted }
  | { readonly is: 'attempt'; readonly attempt: Attempt }
  | {
      readonly is: 'said';
      readonly subsystem: 'gateway' | 'ws';
      readonly level: 'debug' | 'warn' | 'error';
      readonly message: string;
    }
  | { readonly is: 'pong' }
  /** It has ended all its connections. */
  | { readonly is: 'done' };
