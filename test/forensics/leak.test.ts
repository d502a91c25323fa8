import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Event } from '../../events/index.js';
import type { Incident } from '../../src/forensics/incident.js';
import type { Answered } from '../../src/forensics/questions.js';
import type { BlastRadius } from '../../src/forensics/radius.js';
import { systemClock } from '../../src/runtime.js';
import { connect, newKey, REMOTE } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { openLedger, write } from '../support/ledger.js';
import { life } from '../support/life.js';
import { ALL } from '../support/people.js';
import { openclaw } from '../support/process.js';
import { type Device, type Scene, scene } from '../support/scene.js';

/*
 * Job 7: "Our gateway token was on a screenshot for nine days. List every connection that used it, every device that got in because of it, and
 * what each was allowed to do." A history of 200,000 events with an intrusion in it.
 */

const EVENTS = 200_000;

/** Other people's comings and goings, as many events as it takes. */
const fill = async (state: string, events: number, seed: number): Promise<void> => {
  const ledger = await openLedger(join(state, 'ledger'), { clock: systemClock });
  const next = life(seed);
  const until = ledger.log.position + events;
  while (ledger.log.position < until) await write(ledger, ...Array.from({ length: 500 }, next).flat());
  await ledger.close();
};

interface Planted {
  /** Everything that the leak led to. */
  readonly events: readonly number[];
  readonly devices: readonly Device[];
  readonly since: string;
}

/** Leaked secret → rogue approval → its token, delivered → two more approvals → a rotation. Others go on with what they do. */
const intrude = async (
  at: Scene,
  bystanders: readonly Device[],
): Promise<Planted & { readonly open: readonly { readonly closed: unknown }[] }> => {
  const { knock, comes, approve, state, clock } = at;
  const from = logOf(state).length;
  const since = new Date(clock.now()).toISOString();
  await new Promise((resolve) => setTimeout(resolve, 5));
  const rogue = (await knock('printer', { scopes: ALL })).device;
  await (await comes(bystanders[0] as Device)).wire.end();
  await approve(rogue);
  const bySecret = await knock('printer', { scopes: ALL }, rogue.key);
  const first: Device = { ...rogue, token: bySecret.device.token };
  const byToken = await comes(first, { scopes: ALL });
  const two: Device[] = [];
  for (const name of ['scanner', 'fax']) {
    const { device } = await knock(name);
    await byToken.wire.call('device.pair.approve', { requestId: device.requestId });
    await (await comes(bystanders[1] as Device)).wire.end();
    two.push(device);
  }
  const scanner = await knock('scanner', {}, two[0]?.key);
  await byToken.wire.call('device.token.rotate', { deviceId: two[1]?.key.id, role: 'operator' });
  /* One that asked and has not been decided yet. */
  const waiting = (await knock('copier')).device;
  await new Promise((resolve) => setTimeout(resolve, 60));
  const devices = [first, { ...(two[0] as Device), token: scanner.device.token }, two[1] as Device, waiting];
  return {
    since,
    devices,
    open: [bySecret.wire, byToken.wire, scanner.wire],
    events: eventsOf(devices, logOf(state).slice(from)),
  };
};

/** Of what happened meanwhile, what these devices asked, were given and did; not how connections ended, nor what their token replaced. */
const eventsOf = (devices: readonly Device[], log: readonly Event[]): readonly number[] => {
  const ids = new Set(devices.map(({ key }) => key.id));
  const about = (event: Event): boolean =>
    ('device' in event.data && ids.has(event.data.device ?? '')) ||
    (event.actor.kind === 'connection' && ids.has(event.actor.device ?? ''));
  return log
    .filter((event) => about(event) && event.type !== 'connection.closed' && event.type !== 'token.retired')
    .map(({ seq }) => seq);
};

const history = async (t: Test) => {
  const first = await scene(t);
  const { state } = first;
  const bystanders = [await first.paired('laptop', ALL), await first.paired('desk')];
  await first.stop();
  await fill(state, EVENTS / 2, 1);
  const second = await scene(t, { state });
  const planted = await intrude(second, bystanders);
  await second.stop();
  await fill(state, EVENTS / 2, 2);
  const now = await scene(t, { state });
  return { now, planted, bystanders };
};

t.test(
  '7: our gateway token was on a screenshot: every connection, every device, and what each was allowed to do',
  async (t) => {
    const { now, planted, bystanders } = await history(t);
    const { state, comes, knock } = now;
    t.ok(logOf(state).length > EVENTS);
    const sessions = await Promise.all(bystanders.map((device) => comes(device)));
    const rogues = await Promise.all(planted.devices.slice(0, 2).map((device) => comes(device)));
    t.same(
      rogues.map(({ answer }) => answer.ok),
      [true, true],
      'they are in',
    );

    const asked = await openclaw(
      state,
      ['audit', 'credential', '--secret-from-stdin', '--since', planted.since, '--json'],
      {},
      `${TOKEN}\n`,
    );
    t.equal(asked.code, 0, asked.err);
    const { answer, damaged } = JSON.parse(asked.out) as Answered<BlastRadius>;
    const late = logOf(state).filter(({ seq }) => !planted.events.includes(seq) && answer.events.includes(seq));
    t.same(
      late.map(({ type, data }) => [type, 'device' in data && data.device]),
      planted.devices.slice(0, 2).map(({ key }) => ['connection.accepted', key.id]),
      'and what they did since',
    );
    t.same(
      answer.events.filter((seq) => !late.some((event) => event.seq === seq)),
      planted.events,
      'the planted set: nothing more, nothing less',
    );
    t.same(damaged, []);
    t.equal(answer.kind, 'secret');
    const [printer, scanner, fax, copier] = planted.devices.map(({ key }) => key.id);
    t.same(new Set(answer.devices), new Set([printer, scanner, fax]));
    t.same(
      answer.branches.map(({ device, because, scopes, tokens }) => [
        device,
        because,
        scopes,
        tokens.map(({ how, alive }) => [how, alive]),
      ]),
      [
        [printer, 'asked', ALL, [['issued', true]]],
        [scanner, 'asked', ['operator.read'], [['issued', true]]],
        [
          fax,
          'asked',
          ['operator.read'],
          [
            ['issued', true],
            ['rotated', true],
          ],
        ],
      ],
      'what each was allowed to do',
    );
    t.match(
      answer.uses.map(({ name, connections, refused, told }) => [name, connections, refused, told.length]),
      [
        ['printer', 1, 1, 1],
        ['scanner', 1, 1, 1],
        ['fax', 0, 1, 0],
        [undefined, 0, 1, 0],
      ],
    );
    t.match(
      answer.branches.map(({ by }) => by.device ?? by.method),
      ['host-proof', printer, printer],
      'and by whose yes',
    );
    t.match(answer.counts, { open: 0, openBelow: 2, devices: 3, tokens: 4 });
    t.same(answer.plan, [
      { do: 'rotate-secret', credential: answer.credential },
      ...[printer, scanner, fax].map((device) => ({
        do: 'remove-device',
        device,
        because: answer.branches.find((branch) => branch.device === device)?.approved.seq,
      })),
      {
        do: 'reject-request',
        requestId: planted.devices[3]?.requestId,
        device: copier,
        because: planted.events.at(-2),
      },
    ]);

    const report = join(mkdtempSync(join(tmpdir(), 'clawledger-report-')), 'report.md');
    const dry = await openclaw(state, [
      'audit',
      'credential',
      answer.credential ?? '',
      '--since',
      planted.since,
      '--contain',
      '--dry-run',
      '--report',
      report,
    ]);
    t.equal(dry.code, 0, dry.err);
    t.match(
      readFileSync(report, 'utf8'),
      /## What would contain it\n\n- Replace the shared secret of the gateway\n- Remove device `/,
    );
    t.same(
      rogues.map(({ wire }) => wire.closed),
      [undefined, undefined],
      'a dry run changes nothing',
    );

    const contained = await openclaw(state, [
      'audit',
      'credential',
      answer.credential ?? '',
      '--since',
      planted.since,
      '--contain',
      '--report',
      report,
      '--json',
    ]);
    t.equal(contained.code, 0, contained.err);
    for (const { wire } of rogues) t.match(await wire.close(), { code: 4001 });
    t.same(
      sessions.map(({ wire }) => wire.closed),
      [undefined, undefined],
      'nobody else lost a session',
    );
    for (const device of planted.devices) {
      t.equal((await comes(device)).answer.ok, false, 'not by its token');
      t.match(
        (await knock('printer', {}, device.key)).answer,
        { ok: false, error: { details: { code: 'AUTH_TOKEN_MISMATCH' } } },
        'nor by the secret',
      );
    }
    t.equal((await comes(bystanders[1] as Device)).answer.ok, true);

    const { report: written } = JSON.parse(readFileSync(report, 'utf8')) as { report: Incident };
    const log = new Map(logOf(state).map((event) => [event.seq, event]));
    t.match(written, { planned: { secret: true, devices: 3, tokens: 0 }, closed: { rounds: 1, sessions: 2 } });
    t.same(
      written.measures.filter(({ type }) => type === 'device.removed').map(({ about }) => about),
      [printer, scanner, fax].map((id) => `device:${id}`),
    );
    for (const measure of written.measures) {
      t.equal(log.get(measure.seq)?.type, measure.type, 'every statement has its event');
      for (const end of measure.closed)
        t.match(log.get(end.seq), {
          type: 'connection.closed',
          cause: measure.seq,
          data: { connection: end.connection },
        });
    }
    const gone = written.measures.flatMap(({ closed }) => closed.map(({ device }) => device));
    t.same(new Set(gone), new Set([printer, scanner]));
    for (const { wire } of sessions) wire.end();
  },
);

t.test('a secret that leaked is not accepted again, wherever it is configured', async (t) => {
  const first = await scene(t);
  const { state } = first;
  t.equal((await openclaw(state, ['audit', 'credential', '--secret-from-stdin', '--contain'], {}, TOKEN)).code, 0);
  const fresh = readFileSync(join(state, 'gateway.env'), 'utf8').trim().split('=')[1] ?? '';
  t.not(fresh, TOKEN);
  const ask = async (token: string) =>
    (await connect(first.port, newKey(), { auth: { token } }, REMOTE)).answer.error.details.code;
  t.equal(await ask(TOKEN), 'AUTH_TOKEN_MISMATCH');
  t.equal(await ask(fresh), 'PAIRING_REQUIRED', 'the one that replaced it is');
  await first.stop();
  await t.rejects(
    scene(t, { state }),
    /the gateway secret in OPENCLAW_GATEWAY_TOKEN was given up because it leaked \(event \d+\), and is not accepted again/,
  );
  const again = await scene(t, { state, env: { OPENCLAW_GATEWAY_TOKEN: '' } });
  const answer = await connect(again.port, newKey(), { auth: { token: fresh } }, REMOTE);
  t.match(answer.answer.error.details, { code: 'PAIRING_REQUIRED' });
});

t.test('who would be cut off by it is told so, and nothing is changed', async (t) => {
  const { paired, comes, state } = await scene(t);
  const boss = await paired('boss', ALL);
  const { wire } = await comes(boss, { scopes: ALL });
  const before = logOf(state).length;
  const answer = await wire.call('incident.contain', { device: boss.key.id });
  t.match(answer, { ok: false, error: { message: 'this would cut off the one who asks' } });
  t.same(
    logOf(state)
      .slice(before)
      .filter(({ type }) => !type.startsWith('connection.')),
    [],
  );
  t.equal(wire.closed, undefined);
  wire.end();
});
