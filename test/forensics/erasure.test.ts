import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type Event, isErased, numbersIn } from '../../events/index.js';
import type { Who } from '../../src/forensics/who.js';
import { limits } from '../../src/limits.js';
import { systemClock } from '../../src/runtime.js';
import { connect, newKey, REMOTE } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { openLedger, write } from '../support/ledger.js';
import { ALL } from '../support/people.js';
import { openclaw } from '../support/process.js';
import { type Scene, scene } from '../support/scene.js';

/* "Delete what you know about me": asked of a gateway that runs, and of one that does not. */

const NAME = 'Adas-Marker-Laptop';
const ADDRESS = '203.0.113.123';

/** A gateway behind a proxy, so that whoever comes has an address. */
const PROXIED = { config: { trustedProxies: ['127.0.0.1'] } };

const erasuresIn = (log: readonly Event[]) => log.flatMap((event) => (event.type === 'log.erased' ? [event] : []));

const personalIn = (log: readonly Event[], marker: string): readonly number[] =>
  log.filter(({ origin }) => JSON.stringify(origin ?? {}).includes(marker)).map(({ seq }) => seq);

const requestIdIn = (event: Event | undefined): string =>
  event?.type === 'pairing.requested' ? event.data.requestId : '';

/** Everything that can be asked about, as text. */
const asked = async ({ type, state }: Scene, device: string): Promise<string> => {
  const moment = String(logOf(state).length);
  const questions = [
    ['devices', 'list', '--json'],
    ['devices', 'list', '--at', moment, '--json'],
    ['audit', 'who', device],
    ['audit', 'who', device, '--json'],
    ['audit', 'log', '--limit', '1000'],
    ['audit', 'log', '--limit', '1000', '--json'],
    ['audit', 'diff', '1', 'now', '--json'],
    ['audit', 'credential', '--device', device, '--json'],
    ['audit', 'rejudge', '--json'],
    ['audit', 'export', '--format', 'csv'],
    ['audit', 'export'],
    ['events', 'list'],
    ['events', 'list', '--json'],
    ['gateway', 'call', 'node.pair.list'],
    ['gateway', 'call', 'system-presence'],
  ];
  let text = '';
  for (const args of questions) {
    const { code, out, err } = await type(...args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${err}`);
    text += out;
  }
  return text;
};

t.test('a device, with the gateway running: nothing of it is shown anywhere, and it goes on', async (t) => {
  const at = await scene(t);
  const { type, paired, knock, comes, state } = at;
  const ada = await paired(NAME);
  const id = ada.key.id;
  await paired('bystander');
  const { wire } = await knock(NAME, { scopes: ['operator.read', 'operator.write'] }, ada.key);
  t.equal((await type('devices', 'rename', id, `${NAME} 2`)).code, 0);
  const upgrade = logOf(state).findLast((event) => event.type === 'pairing.requested');
  t.match(await asked(at, id), new RegExp(NAME));
  const personal = personalIn(logOf(state), NAME);
  t.ok(personal.length >= 4);

  const dry = await type(
    'audit',
    'erase',
    '--subject',
    `device:${id.slice(0, 10)}`,
    '--reason',
    'she asked',
    '--dry-run',
  );
  t.equal(dry.code, 0, dry.err);
  t.match(dry.out, /^Would erase the personal data of \d+ events\n/);
  t.match(dry.out, /device\.renamed +1 {2}label/);
  t.notMatch(dry.out, new RegExp(NAME));
  t.same(personalIn(logOf(state), NAME), personal, 'a dry run changes nothing');

  const { code, out, err } = await type(
    'audit',
    'erase',
    '--subject',
    `device:${id}`,
    '--reason',
    'she asked\u001b[2J',
  );
  t.equal(code, 0, err);
  const [said, ...more] = erasuresIn(logOf(state));
  t.same(more, []);
  t.match(out, new RegExp(`^Erased the personal data of ${said?.data.events} events \\[event ${said?.seq}\\]`));
  t.match(said, {
    subject: `device:${id}`,
    actor: { kind: 'connection', method: 'host-proof' },
    data: { of: 'device', device: id, reason: /^she asked/ },
    origin: { osUser: String },
  });
  t.notOk(said?.data.reason.includes('\u001b'));
  const numbers = [...numbersIn(said?.data.numbers ?? '')];
  t.ok(personal.every((seq) => numbers.includes(seq)));

  const text = await asked(at, id);
  t.notMatch(text, new RegExp(NAME), 'in no answer');
  t.match(text, /bystander/, 'of others all is there');
  t.match(text, /\(erased\)/);
  t.same(
    logOf(state)
      .filter(isErased)
      .map(({ seq }) => seq),
    numbers,
  );
  const { answer } = await at.ask<Who>('audit', 'who', id);
  t.match(answer.requests[0]?.from, { erased: said?.seq });
  t.match((await type('audit', 'who', id)).out, new RegExp(`from \\(erased \\[event ${said?.seq}\\]\\)`));
  t.equal((await type('rebuild', '--check')).code, 0);

  t.equal((await comes(ada)).answer.ok, true, 'it comes in as before');
  t.equal((await type('devices', 'approve', requestIdIn(upgrade))).code, 0, 'what it asked for can be decided');
  wire.end();
  t.same(personalIn(logOf(state), `${NAME} 2`), []);

  const again = await type('audit', 'erase', '--subject', `request:${ada.requestId}`, '--reason', 'again');
  t.match(again, { code: 0, out: /^Nothing to erase/ });
  t.equal(erasuresIn(logOf(state)).length, 1, 'and nothing is recorded of nothing');
  await at.stop();
  t.equal((await type('devices', 'list')).code, 0);
});

t.test('an address, and not while a hold is in force', async (t) => {
  const at = await scene(t, PROXIED);
  const { type, state, port } = at;
  const { wire } = await connect(port, newKey(), { auth: { token: TOKEN } }, { ...REMOTE, 'x-forwarded-for': ADDRESS });
  await wire.close();
  await type('gateway', 'probe');
  t.ok(personalIn(logOf(state), ADDRESS).length > 0);
  const args = ['audit', 'erase', '--subject', `address:${ADDRESS}`, '--reason', 'asked for'];
  t.equal((await type('audit', 'archive', '--hold', 'case 4711')).code, 0);
  t.match(await type(...args), { code: 1, err: /a hold is in force: nothing is erased\n.*--release/ });
  t.equal((await type(...args, '--dry-run')).code, 0, 'to look is no harm');
  t.equal((await type('audit', 'archive', '--release')).code, 0);
  t.match(await type(...args), { code: 0, out: /^Erased/ });
  t.same(personalIn(logOf(state), ADDRESS), []);
  const [said] = erasuresIn(logOf(state));
  t.notMatch(JSON.stringify(said), /203\.0\.113/, 'which address it was is not kept');
  t.equal((await type('audit', 'log', '--address', ADDRESS)).out, '', 'a guess at it finds nothing');
});

t.test('only admins, of what there is, and with a reason', async (t) => {
  const { type, paired, comes, state } = await scene(t);
  const auditor = await paired('auditor', ['operator.audit', 'operator.pairing']);
  const subject = `device:${auditor.key.id}`;
  const { wire } = await comes(auditor, { scopes: ['operator.audit', 'operator.pairing'] });
  t.match(await wire.call('audit.erase', { subject, reason: 'x' }), {
    ok: false,
    error: { message: 'missing scope: operator.admin' },
  });
  wire.end();
  const boss = await paired('boss', ALL);
  const { wire: ofBoss } = await comes(boss, { scopes: ALL });
  t.match(await ofBoss.call('audit.erase', { subject, reason: ' \u0007 ' }), {
    ok: false,
    error: { message: 'an erasure needs a reason' },
  });
  ofBoss.end();
  const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
    [['--subject', subject], 2, /--reason/],
    [['--reason', 'x'], 2, /--subject/],
    [['--subject', 'auditor', '--reason', 'x'], 1, /a subject is device:<id>/],
    [['--subject', 'device:ffffffffffff', '--reason', 'x'], 1, /no device of that id/],
    [['--subject', `request:${auditor.requestId.slice(0, 3)}`, '--reason', 'x'], 1, /no request of that id/],
    [['--subject', 'address:nowhere', '--reason', 'x'], 1, /not an address/],
  ];
  for (const [args, code, says] of cases)
    t.match(await type('audit', 'erase', ...args), { code, err: says }, args.join(' '));
  t.match(await type('audit', 'erase', '--subject', 'address:198.51.100.1', '--reason', 'x'), {
    code: 0,
    out: /Nothing/,
  });
  t.same(erasuresIn(logOf(state)), []);
});

t.test('one connection, and what it decided about others stays', async (t) => {
  const { type, paired, comes, knock, state } = await scene(t);
  const boss = await paired(NAME, ALL);
  const { wire } = await comes(boss, { scopes: ALL, client: { displayName: NAME } });
  const { device } = await knock('printer');
  await wire.call('device.pair.approve', { requestId: device.requestId });
  wire.end();
  await wire.close();
  const log = logOf(state);
  const accepted = log.findLast(
    ({ type: kind, actor }) =>
      kind === 'connection.accepted' && actor.kind === 'connection' && actor.device === boss.key.id,
  );
  const connection = accepted?.type === 'connection.accepted' ? accepted.data.connection : '';
  t.equal((await type('audit', 'erase', '--subject', `connection:${connection}`, '--reason', 'x')).code, 0);
  t.match(
    erasuresIn(logOf(state)).map(({ data }) => data),
    [{ of: 'connection', connection, events: 1, numbers: String(accepted?.seq) }],
  );
  t.ok(personalIn(logOf(state), 'printer').length >= 2);
});

const MANY = 12_000;

t.test(
  'many events go in several commits, also with the gateway down, and copies made before are copies',
  async (t) => {
    const at = await scene(t);
    const { type, paired, state } = at;
    const ada = await paired(NAME);
    await at.stop();
    const path = join(state, 'ledger');
    const ledger = await openLedger(path, { clock: systemClock });
    const came = logOf(state).find((event) => event.type === 'connection.accepted' && event.data.device === ada.key.id);
    if (came?.type !== 'connection.accepted') throw new Error('it never came');
    const { subject, actor, data } = came;
    const origin = { displayName: NAME, address: ADDRESS };
    for (let n = 0; n < MANY; n += 500)
      await write(
        ledger,
        ...Array.from({ length: 500 }, () => ({ type: 'connection.accepted' as const, subject, actor, data, origin })),
      );
    await ledger.close();
    const copy = mkdtempSync(join(tmpdir(), 'clawledger-copy-'));
    cpSync(path, copy, { recursive: true });
    const args = ['audit', 'erase', '--subject', `device:${NAME}`, '--reason', 'asked for', '--json'];
    const { code, out, err } = await openclaw(state, args);
    t.equal(code, 0, err);
    const done = JSON.parse(out) as { events: number; erased: readonly number[] };
    const said = erasuresIn(logOf(state));
    t.same(
      said.map(({ seq }) => seq),
      done.erased,
    );
    t.ok(said.length >= MANY / limits.erasure.events);
    t.equal(
      said.reduce((sum, { data: { events } }) => sum + events, 0),
      done.events,
    );
    t.same(
      said.slice(1).map(({ cause }) => cause),
      said.slice(1).map(() => said[0]?.seq),
      'the first is the cause of the others',
    );
    t.match(said[0], { actor: { kind: 'host' }, origin: { osUser: String } });
    t.same(personalIn(logOf(state), NAME), []);
    t.same(personalIn(logOf(state), ADDRESS), []);
    t.equal((await type('rebuild', '--check')).code, 0);
    t.match((await openclaw(state, ['audit', 'log', '--log', copy, '--address', ADDRESS])).out, new RegExp(NAME));
  },
);
