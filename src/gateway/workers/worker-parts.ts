import { GATEWAY } from '../../../projections/index.js';
import { loadKeys } from '../../credentials/keys.js';
import { Reader } from '../../ledger/reader.js';
import { Store } from '../../ledger/store.js';
import { limits } from '../../limits.js';
import { systemClock as clock, systemEntropy } from '../../runtime.js';
import { type Front, frontOf } from '../front.js';
import type { Snapshot } from '../hello.js';
import { Limiter } from '../limiter.js';
import { Presence } from '../presence.js';
import type { Secret } from '../secret.js';
import { KeptCheckpoint } from './kept-checkpoint.js';
import type { Link } from './link.js';
import type { Begin, FromWorker, SecretTold, Shown } from './messages.js';
import { readPairList } from './read-pair-list.js';
import { RefusalRelay } from './refusal-relay.js';
import { RemoteCore } from './remote-core.js';

/** The parts of a worker: what it takes connections with, and what it is told from time to time. */
export interface WorkerParts {
  readonly front: Front;
  readonly core: RemoteCore;
  readonly refusals: RefusalRelay;
  readonly secret: { current: Secret | undefined };
  readonly secretOf: (told: SecretTold) => Secret;
  readonly show: (shown: Shown) => void;
}

/** Who depends on whom, in one place. The log is opened to read. */
export const putTogether = (begin: Begin, link: Link<FromWorker>): WorkerParts => {
  const { settings, boot } = begin;
  const store = new Store({ path: settings.paths.ledger, readOnly: true });
  const reader = new Reader(() => store);
  const views = () => {
    store.refresh();
    return store.views;
  };
  const entropy = systemEntropy();
  const keys = loadKeys(settings.paths.keys, entropy, 'refuse');
  const shown = { current: begin.shown };
  const presence = new Presence(clock);
  const show = (told: Shown): void => {
    shown.current = told;
    presence.set(told.presence);
  };
  show(begin.shown);
  const snapshot = snapshotOf(shown, presence, begin.uptimeMs);
  const log = logOf(link, settings.log.level === 'debug' || settings.log.level === 'trace');
  const secretOf = ({ value, credential }: SecretTold): Secret => ({
    value,
    credential,
    since: () => views().gateway.get(GATEWAY)?.secret?.seq,
  });
  const secret = { current: begin.secret && secretOf(begin.secret) };
  const refusals = new RefusalRelay(clock, link);
  const readable = {
    settings,
    clock,
    log,
    ledger: {
      get views() {
        return views();
      },
    },
    snapshot,
    pairList: readPairList(store, clock),
  };
  const core = new RemoteCore({ link, readable, refusals, presence, views, keys });
  const limiter = new Limiter({
    clock,
    keys,
    views,
    /* The lock-out is recorded where the log is written, by the same count. */
    record: () => {},
    tell: (attempt) => link.say({ is: 'attempt', attempt }),
    limits: settings.limiter,
  });
  const front = frontOf({
    settings,
    clock,
    entropy,
    boot,
    log,
    keys,
    secret,
    limiter,
    views,
    snapshot,
    core,
    reader,
    checkpoints: new KeptCheckpoint(store),
    failing: () => shown.current.failing,
    among: settings.workers,
  });
  return { front, core, refusals, secret, secretOf, show };
};

const snapshotOf = (shown: { readonly current: Shown }, presence: Presence, uptimeMs: number): Snapshot => {
  const begun = clock.monotonic() - uptimeMs;
  return {
    presence: () => presence.json(),
    health: () => shown.current.health,
    healthAge: () => clock.now() - shown.current.healthAt,
    versions: () => shown.current.versions,
    uptime: () => Math.round(clock.monotonic() - begun),
  };
};

/** What a worker has to say is logged by the process that has the log file. */
const logOf = (link: Link<FromWorker>, debug: boolean) => {
  const saying = (subsystem: 'gateway' | 'ws', level: 'debug' | 'warn' | 'error') => (message: string) =>
    link.say({ is: 'said', subsystem, level, message: message.slice(0, limits.log.lineChars) });
  return {
    gateway: { warn: saying('gateway', 'warn'), error: saying('gateway', 'error') },
    ws: { debug: debug ? saying('ws', 'debug') : () => {} },
  };
};
