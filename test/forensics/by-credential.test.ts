import * as E from 'fp-ts/lib/Either.js';
import t, { type Test } from 'tap';
import { type Event, type Fact, subjectOf } from '../../events/index.js';
import { blastRadius } from '../../src/forensics/blast-radius.js';
import { type Evidence, evidenceIn } from '../../src/forensics/evidence.js';
import type { BlastRadius, Leak } from '../../src/forensics/radius.js';
import { Store } from '../../src/ledger/store.js';
import { folder, openLedger, write } from '../support/ledger.js';

/*
 * Who was inside by a credential, and what of all that names it counts. A connect puts what it brings about on the record before its
 * acceptance, so an act may come before the event that says whose it is.
 */

const LEAKED = 'feed0123feed0123';
const CLIENT = { id: 'cli', mode: 'cli', platform: 'linux', version: '1' };

const by = (connection: string, device: string) =>
  ({ kind: 'connection', connection, method: 'token', role: 'operator', device, credential: LEAKED }) as const;

const came = (connection: string, device: string): Fact => ({
  type: 'connection.accepted',
  subject: subjectOf.connection(connection),
  actor: by(connection, device),
  data: {
    connection,
    boot: 'b',
    worker: 0,
    role: 'operator',
    asked: [],
    scopes: [],
    method: 'token',
    protocol: 4,
    client: CLIENT,
    local: false,
    device,
    credential: LEAKED,
  },
});

const left = (connection: string, device: string): Fact => ({
  type: 'connection.closed',
  subject: subjectOf.connection(connection),
  actor: by(connection, device),
  data: { connection, boot: 'b', worker: 0, code: 1000, reason: '', durationMs: 1, device },
});

const renamed = (connection: string, device: string): Fact => ({
  type: 'device.renamed',
  subject: subjectOf.device('other'),
  actor: by(connection, device),
  data: { device: 'other' },
});

const asked = (connection: string, device: string): Fact => ({
  type: 'pairing.requested',
  subject: subjectOf.device(device),
  actor: by(connection, device),
  data: {
    requestId: `r-${connection}`,
    device,
    publicKey: 'k',
    role: 'operator',
    roles: ['operator'],
    scopes: [],
    client: CLIENT,
    need: 'not-paired',
    silent: false,
    repair: false,
  },
});

/** A log of these decisions. */
const logOf = async (t: Test, ...decisions: readonly (readonly Fact[])[]): Promise<Evidence> => {
  const path = folder(t);
  const ledger = await openLedger(path);
  for (const facts of decisions) await write(ledger, ...facts);
  await ledger.close();
  const store = new Store({ path, readOnly: true });
  t.teardown(() => store.close());
  return evidenceIn(store, Date.now(), { autoApproveLocal: true });
};

const asking = (evidence: Evidence, leak: Leak = {}): BlastRadius => {
  const answer = blastRadius({ credential: LEAKED, ...leak }, evidence);
  if (E.isLeft(answer)) throw new Error(answer.left.message);
  return answer.right;
};

const actsIn = (evidence: Evidence, leak?: Leak): readonly number[] =>
  asking(evidence, leak).acts.map(({ seq }) => seq);

t.test('what a connect brings about counts, though its acceptance comes after it', async (t) => {
  const evidence = await logOf(
    t,
    [renamed('one', 'a'), asked('one', 'a'), renamed('one', 'a'), came('one', 'a')],
    [renamed('two', 'b'), came('two', 'b')],
    [renamed('one', 'a')],
  );
  const { acts, events, counts, first, last } = asking(evidence);
  t.same(
    acts.map(({ seq }) => seq),
    [1, 2, 3, 5, 7],
    'in the order of the log',
  );
  t.same(events, [1, 2, 3, 4, 5, 6, 7]);
  t.match([counts, first, last], [{ connections: 2, acts: 5 }, { seq: 1 }, { seq: 7 }]);
});

t.test('so it does when others act between the two', async (t) => {
  const evidence = await logOf(
    t,
    [came('two', 'b')],
    [renamed('one', 'a')],
    [renamed('two', 'b')],
    [asked('three', 'c')],
    [came('three', 'c')],
    [came('one', 'a')],
  );
  t.same(actsIn(evidence), [2, 3, 4]);
});

t.test('of who was not let in by it only the asking counts', async (t) => {
  const evidence = await logOf(t, [renamed('one', 'a'), asked('one', 'a'), renamed('one', 'a')], [came('two', 'b')]);
  t.same(actsIn(evidence), [2]);
});

t.test('nor of who was let in before the stretch or after it, while who came in it counts for ever', async (t) => {
  const evidence = await logOf(
    t,
    [came('before', 'a')],
    [renamed('before', 'a')],
    [renamed('in', 'b'), came('in', 'b')],
    [renamed('after', 'c'), came('after', 'c')],
    [renamed('before', 'a'), renamed('in', 'b'), renamed('after', 'c')],
    [left('in', 'b')],
    [renamed('in', 'b')],
  );
  t.same(actsIn(evidence, { since: '3', until: '4' }), [3, 8, 11]);
  t.same(actsIn(evidence, { since: '3' }), [3, 5, 8, 9, 11]);
  t.same(actsIn(evidence, { until: '2' }), [2, 7]);
});

t.test('nor of a device that is vouched for, even before its acceptance', async (t) => {
  const evidence = await logOf(
    t,
    [renamed('one', 'a'), asked('one', 'a'), came('one', 'a')],
    [renamed('one', 'a')],
    [renamed('two', 'b'), came('two', 'b')],
  );
  t.same(actsIn(evidence, { keep: ['a'] }), [5]);
  t.same(asking(evidence, { keep: ['a'] }).counts.connections, 1);
});

const MANY = 12_000;

t.test('with more connections than are remembered nothing is forgotten', async (t) => {
  const ids = Array.from({ length: MANY }, (_, n) => `c${n}`);
  const evidence = await logOf(
    t,
    ids.map((id) => came(id, 'a')),
    [renamed('c0', 'a'), renamed('nobody', 'a'), renamed(`c${MANY - 1}`, 'a')],
    Array.from({ length: 300 }, () => renamed('nobody', 'a')),
  );
  t.same(actsIn(evidence), [MANY + 1, MANY + 3]);
});

t.test('an event is done with before the next is read, whatever the credential was used for', async (t) => {
  const evidence = await logOf(
    t,
    [came('one', 'a')],
    [asked('two', 'b'), renamed('two', 'b'), came('two', 'b')],
    [renamed('one', 'a')],
    [asked('three', 'c')],
    [came('four', 'd')],
    [left('four', 'd')],
  );
  const said: string[] = [];
  /* What a request led to is asked for as soon as it is known to count. */
  const log: Evidence['log'] = Object.assign(Object.create(evidence.log) as Evidence['log'], {
    *query(query: Parameters<Evidence['log']['query']>[0]): Iterable<Event> {
      const [term = ''] = query.terms ?? [];
      if (term.startsWith('cause:')) said.push(`what came of ${term.slice(6)}`);
      for (const event of evidence.log.query(query)) {
        if (term === `credential:${LEAKED}`) said.push(`event ${event.seq}`);
        yield event;
      }
    },
  });
  t.same(actsIn({ ...evidence, log }), [2, 3, 5, 6]);
  t.same(said.slice(said.lastIndexOf('event 1')), [
    'event 1',
    'event 2',
    'event 3',
    'event 4',
    'what came of 2',
    'event 5',
    'event 6',
    'event 7',
    'what came of 6',
    'event 8',
  ]);
});

const approved = (connection: string, device: string): Fact => ({
  type: 'pairing.approved',
  subject: subjectOf.device(device),
  actor: { kind: 'gateway', rule: 'test' },
  cause: 'first',
  data: {
    requestId: `r-${connection}`,
    device,
    publicKey: 'k',
    role: 'operator',
    roles: ['operator'],
    scopes: [],
    client: CLIENT,
    rule: 'test',
  },
});

t.test('who is let in while the log is read is not missed', async (t) => {
  const evidence = await logOf(t, [asked('one', 'a'), approved('one', 'a')]);
  const { events, plan } = asking({ ...evidence, upTo: 1 });
  t.same(events, [1, 2]);
  t.match(plan, [{ do: 'remove-device', device: 'a' }]);
});
