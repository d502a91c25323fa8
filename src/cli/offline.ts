import { userInfo } from 'node:os';
import * as E from 'fp-ts/lib/Either.js';
import type { Settings } from '../config/settings.js';
import { loadKeys } from '../credentials/keys.js';
import { ALL_OPERATOR } from '../decisions/scopes.js';
import { methods } from '../gateway/methods/index.js';
import type { Reply } from '../gateway/methods/method.js';
import { putTogether } from '../gateway/parts.js';
import type { Session } from '../gateway/session.js';
import { beginSigning } from '../gateway/signing.js';
import type { Checkpoints } from '../ledger/checkpoints.js';
import { Ledger, LedgerLocked } from '../ledger/ledger.js';
import { Reader } from '../ledger/reader.js';
import { picturesOf } from '../ledger/rebuild.js';
import { Store } from '../ledger/store.js';
import { Logging } from '../logging/logging.js';
import { Encoded } from '../protocol/frames.js';
import { pairEntries } from '../protocol/pairing.js';
import { systemClock, systemEntropy } from '../runtime.js';
import { CallRefused, Unreachable } from './client.js';
import { tell } from './output.js';
import { fittingParams } from './params.js';

/*
 * With the gateway down, whoever can enter the state folder still owns the host: a command takes the writer's lock and runs the
 * same method on the same log, by the same decision. The record says that it was the host, and which user.
 */

/** Answers one method from the ledger of a gateway that is not running. Throws LedgerLocked if it is. */
export const callOffline = async (method: string, params: unknown, settings: Settings): Promise<unknown> => {
  if (!Store.exists(settings.paths.ledger))
    throw new Unreachable(`no gateway is running here, and there is no log in ${settings.paths.ledger}`);
  return method === 'device.pair.list' ? listOffline(settings) : decideOffline(method, params, settings);
};

/** Reading takes no lock: somebody else may be deciding. */
const listOffline = async ({ paths }: Settings): Promise<unknown> => {
  const store = new Store({ path: paths.ledger, readOnly: true });
  try {
    return pairEntries(
      picturesOf(store, new Reader(() => store)).views,
      store.originOf,
      systemClock.now(),
      () => true,
      4,
      () => false,
    );
  } finally {
    await store.close();
  }
};

const decideOffline = async (method: string, params: unknown, settings: Settings): Promise<unknown> => {
  const clock = systemClock;
  const entropy = systemEntropy();
  const onBug = (error: unknown): void => console.error(error);
  const ledger = await patiently(() =>
    Ledger.open({ path: settings.paths.ledger, purpose: PURPOSE, clock, entropy, onBug }),
  );
  try {
    const keys = loadKeys(settings.paths.keys, entropy, 'refuse');
    const log = new Logging({ level: 'silent', file: false, temporary: '', clock, out: () => {}, err: () => {} });
    const checkpoints = await beginSigning({ ledger, keys, settings, entropy });
    const parts = putTogether({
      settings,
      clock,
      entropy,
      log,
      ledger,
      keys,
      checkpoints,
      secret: undefined,
      publish: () => {},
    });
    const served = methods.get(method);
    if (served === undefined) throw new Unreachable(`${method} needs a running gateway`);
    const fitting = fittingParams(method, served.params, params, served.invalid);
    const by = { kind: 'host', osUser: userInfo().username } as const;
    try {
      return await outcome(method, served.run(fitting, { session: host, by, parts }), ledger);
    } finally {
      parts.desk.stop();
      await sign(checkpoints);
    }
  } finally {
    await ledger.close();
  }
};

/** What was decided is on the record, signed or not: the next checkpoint has it. */
const sign = async (checkpoints: Checkpoints): Promise<void> => {
  const signed = await checkpoints.now();
  if (E.isLeft(signed)) tell(`It is recorded, and not signed yet: ${signed.left.message}`);
};

const PURPOSE = 'a command of openclaw';
const ATTEMPTS = 40;
const BETWEEN_MS = 250;

/** Another command has the lock only for a moment; a gateway has it for long. */
const patiently = async <T>(open: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof LedgerLocked) || error.holder.purpose !== PURPOSE || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
  }
};

const outcome = async (method: string, reply: Reply, ledger: Ledger): Promise<unknown> => {
  if ('later' in reply) return outcome(method, await reply.later, ledger);
  if ('answer' in reply) return plain(reply.answer);
  const result = 'refuse' in reply ? E.left(reply.refuse) : await ledger.decide(reply.commit);
  if (E.isRight(result)) return plain(result.right);
  const { code, message, details = {} } = result.left;
  throw new CallRefused(method, { code, message, details });
};

/** As it would have come over a wire. */
const plain = (answer: unknown): unknown =>
  JSON.parse(answer instanceof Encoded ? answer.json : (JSON.stringify(answer) ?? 'null')) as unknown;

/** Nobody is connected: a session for methods that ask who their caller is. */
const host: Session = {
  connection: 'host',
  socket: { buffered: 0, send: () => false, join: () => {}, end: () => {}, cut: () => {} },
  dialect: 4,
  host: '',
  role: 'operator',
  scopes: ALL_OPERATOR,
  method: 'host-proof',
  seq: 0,
  since: 0,
  roleRefusals: 0,
};
