import { userInfo } from 'node:os';
import type { Actor, Fact } from '../../events/index.js';
import type { Settings } from '../config/settings.js';
import type { GatewaySecret } from '../credentials/gateway-secret.js';
import type { Keys } from '../credentials/keys.js';
import { Desk } from '../forensics/desk.js';
import { Archiver } from '../ledger/archiver.js';
import type { Checkpoints } from '../ledger/checkpoints.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Logging } from '../logging/logging.js';
import type { Clock, Entropy } from '../ports.js';
import { HealthMonitor } from '../services/health-monitor.js';
import { Witnesses } from '../services/witnesses.js';
import type { AdmissionContext } from './admission.js';
import { Announcer } from './announcer.js';
import { Approvals } from './approvals.js';
import { Broadcast } from './broadcast.js';
import { Health } from './health.js';
import type { Snapshot } from './hello.js';
import { Invocations } from './invocations.js';
import { Limiter } from './limiter.js';
import { NodeReports } from './node-reports.js';
import { PairList } from './pair-list.js';
import { Presence } from './presence.js';
import { Refusals } from './refusals.js';
import { SecretInForce } from './secret.js';
import { Sessions } from './sessions.js';

/** The parts of a running gateway, as connections and methods use them. */
export interface Parts {
  readonly boot: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly keys: Keys;
  readonly ledger: Ledger;
  readonly archiver: Archiver;
  readonly checkpoints: Checkpoints;
  readonly log: Logging;
  /** Ms since it was put together. */
  readonly uptime: () => number;
  readonly admission: Omit<AdmissionContext, 'worker'>;
  readonly limiter: Limiter;
  readonly refusals: Refusals;
  readonly sessions: Sessions;
  /** What nodes are told to do, and what they say. */
  readonly invocations: Invocations;
  readonly nodeReports: NodeReports;
  /** Commands that may be run if somebody says so. */
  readonly approvals: Approvals;
  readonly broadcast: Broadcast;
  readonly announcer: Announcer;
  readonly presence: Presence;
  readonly health: Health;
  /** How the components are. */
  readonly monitor: HealthMonitor;
  /** Those that are not well enough to let anybody in. The log is asked itself: it may have failed since it was looked at. */
  readonly failing: () => readonly string[];
  readonly pairList: PairList;
  readonly snapshot: Snapshot;
  readonly secret: SecretInForce;
  /** Where questions to the log are answered. */
  readonly desk: Desk;
  readonly witnesses: Witnesses;
}

export interface PartsOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logging;
  readonly ledger: Ledger;
  readonly keys: Keys;
  readonly checkpoints: Checkpoints;
  readonly secret: GatewaySecret | undefined;
  readonly publish: (topic: string, frame: string) => void;
}

/** Who depends on whom, in one place. Sessions and broadcasts hang on the log: nothing else closes or announces. */
export const putTogether = (options: PartsOptions): Parts => {
  const { settings, clock, entropy, log, ledger, keys, checkpoints, secret, publish } = options;
  const boot = entropy.uuid();
  const begun = clock.monotonic();
  const uptime = (): number => Math.round(clock.monotonic() - begun);
  const views = () => ledger.views;
  const record = (fact: Fact): void => ledger.record([fact]);

  const secretInForce = new SecretInForce({ secret, file: settings.paths.secret, keys, entropy, views });
  const sessions = new Sessions();
  const broadcast = new Broadcast(publish);
  const presence = new Presence(clock);
  const health = new Health({ clock, ledger: () => ledger.health });
  const announcer = new Announcer({ clock, broadcast, presence, health });
  const limiter = new Limiter({ clock, keys, views, record, limits: settings.limiter });
  const pairList = new PairList({
    views,
    originOf: ledger.originOf,
    clock,
    isConnected: (device) => sessions.isConnected(device),
    latest: (read) => ledger.latest(read),
  });

  const nameOf = (actor: Actor): string | null => {
    const session = actor.kind === 'connection' ? sessions.of(actor.connection) : undefined;
    const accepted = session && ledger.log.event(session.seq);
    return accepted?.type === 'connection.accepted' ? (accepted.origin?.displayName ?? accepted.data.client.id) : null;
  };
  const approvals = new Approvals({ clock, ledger, keys, broadcast, nameOf });

  ledger.listen({
    announce: (event) => {
      pairList.invalidate(event);
      announcer.announce(event);
      approvals.announce(event);
      if (event.type !== 'log.erased') return;
      presence.forgetBut(sessions.presences());
      announcer.presenceChanged('left');
    },
    enforce: (event) => {
      secretInForce.enforce(event);
      sessions.enforce(event);
    },
  });

  const monitor = new HealthMonitor({
    clock,
    record,
    tell: (line, state) => (state === 'ok' ? log.health.info(line) : log.health.warn(line)),
    intervalMs: settings.healthIntervalMs,
  });

  return {
    boot,
    settings,
    clock,
    entropy,
    keys,
    ledger,
    archiver: new Archiver({ ledger }),
    checkpoints,
    log,
    uptime,
    admission: {
      boot,
      keys,
      entropy,
      rules: settings.rules,
      canvas: settings.canvas !== undefined,
      osUser: userInfo().username,
    },
    limiter,
    refusals: new Refusals({ boot, clock, fingerprintOf: (source) => keys.source(source), record }),
    sessions,
    invocations: new Invocations({ clock, entropy, ledger, keys, sessions, rules: settings.nodes }),
    nodeReports: new NodeReports({ clock, keys, record }),
    approvals,
    broadcast,
    announcer,
    presence,
    health,
    monitor,
    failing: () => (ledger.health.writable ? monitor.failing : ['log']),
    pairList,
    snapshot: {
      presence: () => presence.json(),
      health: () => health.result.json,
      healthAge: () => health.age,
      versions: () => announcer.versions(),
      uptime,
    },
    secret: secretInForce,
    desk: new Desk({ path: settings.paths.ledger, clock, setting: { autoApproveLocal: settings.rules.localClient } }),
    witnesses: new Witnesses({
      clock,
      log: ledger.log,
      checkpoints,
      witnesses: settings.witnesses,
      failed: (witness, why) => log.gateway.warn(`witness ${witness} does not cosign: ${why}`),
      contradicted: (witness, why) =>
        log.gateway.error(`the log has two histories, or was rolled back: witness ${witness} does not cosign, ${why}`),
    }),
  };
};
