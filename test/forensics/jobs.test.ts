import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Event } from '../../events/index.js';
import type { BlastRadius } from '../../src/forensics/radius.js';
import type { DevicesThen, StatusThen } from '../../src/forensics/state.js';
import type { Who } from '../../src/forensics/who.js';
import { connect, newKey, REMOTE } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { ALL } from '../support/people.js';
import { gatewayProcess, openclaw, stateFolder } from '../support/process.js';
import { scene } from '../support/scene.js';

/*
 * The jobs that people have, in their words: each builds the history, types what a person would type, and looks at the whole answer. Job 7,
 * of the secret on a screenshot, has a file of its own.
 */

const DAY = 86_400_000;
const only = <T>(list: readonly T[]): T => {
  if (list.length !== 1 || list[0] === undefined) throw new Error(`not one but ${list.length}`);
  return list[0];
};
const ofType = (events: readonly Event[], type: Event['type']): readonly Event[] =>
  events.filter((event) => event.type === type);

t.test(
  '1: a phone wants in: what it is, where from, what it will be able to do, and yes once, without racing a clock',
  async (t) => {
    const { type, knock, clock, comes } = await scene(t);
    const { device, wire } = await knock('Pixel of Ada', {
      scopes: ['operator.read', 'operator.write'],
      client: { id: 'openclaw-android', mode: 'ui', platform: 'android 16', version: '2026.9.1' },
    });
    await wire.close();
    const { requestId, key } = device;
    const shown = (await type('devices', 'list')).out;
    t.match(shown, new RegExp(`│ ${requestId} │ Pixel of Ada │ operator │`));
    t.match(shown, `${requestId} asks for operator.read, operator.write`);
    const story = (await type('audit', 'who', requestId)).out;
    t.match(story, /asked .* from 127\.0\.0\.1 as "Pixel of Ada" \[event \d+\]/);
    t.match(story, /openclaw-android 2026\.9\.1 on android 16/);
    t.match(story, 'to be operator with operator.read, operator.write: not-paired');
    t.match(story, 'waits     nobody has decided it');

    /* It goes on knocking: the id on the screen stays good, however long the person takes. */
    for (let i = 0; i < 4; i++) {
      clock.skip(4 * 60_000);
      const again = await knock(
        'Pixel of Ada',
        {
          scopes: ['operator.read', 'operator.write'],
          client: { id: 'openclaw-android', mode: 'ui', platform: 'android 16' },
        },
        key,
      );
      t.equal(again.device.requestId, requestId);
      await again.wire.close();
    }
    t.match(await type('devices', 'approve', requestId), { code: 0, out: `Approved ${key.id} (${requestId})\n` });
    const back = await knock(
      'Pixel of Ada',
      {
        scopes: ['operator.read', 'operator.write'],
        client: { id: 'openclaw-android', mode: 'ui', platform: 'android 16' },
      },
      key,
    );
    t.equal(back.answer.ok, true);
    t.equal(
      (
        await comes(
          { ...device, token: back.device.token },
          { scopes: ['operator.read'], client: { id: 'openclaw-android', mode: 'ui', platform: 'android 16' } },
        )
      ).answer.ok,
      true,
    );
  },
);

t.test('2: I upgraded and half my devices are knocking again: the same machines are let back without me', async (t) => {
  const { type, knock, approve } = await scene(t);
  const same = (await knock('mac mini', { client: { platform: 'macos 15.1' } })).device;
  const other = (await knock('studio', { client: { platform: 'macos 15.1' } })).device;
  await approve(same);
  await approve(other);
  const updated = await knock('mac mini', { client: { platform: 'macos 15.2' } }, same.key);
  t.equal(updated.answer.ok, true, 'another version of the same system is the same machine');
  const replaced = await knock('studio', { client: { platform: 'linux' } }, other.key);
  t.match(replaced.answer.error.details, { code: 'PAIRING_REQUIRED', reason: 'metadata-upgrade' });

  const list = (await type('devices', 'list')).out;
  const { requestId } = replaced.device;
  t.match(list, new RegExp(`│ ${requestId} .*repair`));
  t.match(list, `${requestId} claims linux; approved before as macos 15.1`);
  t.notMatch(list.split('Paired')[0], same.key.id.slice(0, 12), 'nobody is asked about the other one');
  const changed = (await type('audit', 'log', '--type', 'device.metadata-changed', '--json')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(only(changed), {
    data: { device: same.key.id, from: { platform: 'macos 15.1' }, to: { platform: 'macos 15.2' } },
  });
});

t.test('3: it says 1008 (or 4008): which rule refused this connection, and the one thing to change', async (t) => {
  const { type, knock, port, state } = await scene(t, {
    config: { controlUi: { allowedOrigins: ['https://ui.example.test'] } },
  });
  const { device, wire } = await knock('phone');
  await wire.close();
  const page = await connect(
    port,
    newKey(),
    { auth: { token: 'wrong-token-3f' }, client: { id: 'openclaw-control-ui', mode: 'webchat' } },
    { ...REMOTE, Origin: 'https://ui.example.test' },
  );
  page.wire.end(4008);
  await page.wire.close();
  await new Promise((resolve) => setTimeout(resolve, 60));
  const [first, second] = ofType(logOf(state), 'connection.refused').map(({ subject, seq }) => ({
    id: subject.slice('connection:'.length),
    seq,
  }));
  const pairing = await type('audit', 'why', first?.id ?? '');
  t.equal(pairing.code, 0);
  t.same(pairing.out.split('\n').slice(0, 2), [
    'Refused: not-paired. The rule: a device connects only after a person, or a rule that is switched on, has approved it.',
    'To change: look at the request with openclaw devices list, and approve it by its id if you know the device.',
  ]);
  t.match(pairing.out, `connection ${first?.id} from 127.0.0.1, `);
  t.match(pairing.out, `[event ${first?.seq}]`);
  t.match(pairing.out, /closed with 1008 pairing required/);
  t.match(pairing.out, `its request waits: openclaw devices approve ${device.requestId}`);
  const browser = (await type('audit', 'why', second?.id ?? '')).out;
  t.match(
    browser,
    /^Refused: token_mismatch\. The rule: .*\nTo change: give the client the token that the gateway runs with/,
  );
  t.match(
    browser,
    'the client closed with 4008 : connect failed: a browser client closed because of the refusal that the gateway had sent it',
  );

  await type('devices', 'approve', device.requestId);
  t.match(
    (await type('audit', 'why', first?.id ?? '')).out,
    /its request .* was approved \[event \d+\]: it can connect now/,
  );
  const address = (await type('audit', 'why', '127.0.0.1')).out;
  t.match(address, /^From 127\.0\.0\.1: 0 connections let in, 2 refusals\n {2}not-paired: 1 time,/);
  t.match(await type('audit', 'why', 'ffffffff-0000-7000-8000-000000000000'), {
    code: 1,
    err: /^no connection of that id in the log/,
  });
});

t.test('4: I rotated the token: who is still connected on the old one, and proof that nobody is', async (t) => {
  const first = await scene(t, { config: {} });
  const laptop = await first.paired('laptop');
  const bySecret = await first.knock('laptop', {}, laptop.key);
  const byToken = await first.comes(laptop);
  const old = (await first.ask<StatusThen>('status', '--at', 'now')).answer;
  const fingerprint = old.secret?.credential ?? '';
  t.match(
    old.connections.filter(({ credential }) => credential === fingerprint),
    [{ device: laptop.key.id, method: 'token' }],
  );

  /* It is replaced while everything runs, and whoever showed the old one is out. */
  const rotated = await first.type('audit', 'credential', fingerprint, '--keep', laptop.key.id, '--contain');
  t.equal(rotated.code, 0, rotated.err);
  t.match(await bySecret.wire.close(), { code: 4001, reason: 'gateway auth changed' });
  t.equal(byToken.wire.closed, undefined, 'the device token is another credential');
  const now = (await first.ask<BlastRadius>('audit', 'credential', fingerprint)).answer;
  t.match(now, { kind: 'secret', counts: { open: 0, openBelow: 1 }, endedBy: Number });
  t.match((await first.type('audit', 'credential', fingerprint)).out, /open when this was asked: 0 by it/);
  t.same(
    (await first.ask<StatusThen>('status', '--at', 'now')).answer.connections.filter(
      ({ credential }) => credential === fingerprint,
    ),
    [],
  );
  t.match((await first.knock('laptop', {}, laptop.key)).answer.error.details, { code: 'AUTH_TOKEN_MISMATCH' });
  byToken.wire.end();
});

t.test('5: I lost the laptop: remove it, everything it approved, and everything it could still open', async (t) => {
  const { type, ask, paired, knock, comes } = await scene(t);
  const laptop = await paired('laptop', ALL);
  const phone = await paired('phone');
  const bystander = await comes(phone);
  const thief = await comes(laptop, { scopes: ALL });
  const friend = (await knock('friend of the thief', { scopes: ['operator.read', 'operator.pairing'] })).device;
  t.equal((await thief.wire.call('device.pair.approve', { requestId: friend.requestId })).ok, true);
  const inside = await knock('friend of the thief', { scopes: ['operator.read', 'operator.pairing'] }, friend.key);
  const second = (await knock('another friend')).device;
  t.equal((await inside.wire.call('device.pair.approve', { requestId: second.requestId })).ok, true);

  const plan = await type('audit', 'credential', '--device', 'laptop', '--contain', '--dry-run');
  t.match(plan.out, /^# Blast radius: "laptop" `/);
  t.match(
    plan.err,
    /Nothing was changed\. To carry the plan out: openclaw audit credential --device [0-9a-f]{64} --contain/,
  );
  t.equal(thief.wire.closed, undefined);
  const done = await type('audit', 'credential', '--device', 'laptop', '--contain');
  t.equal(done.code, 0, done.err);
  t.match(done.out, /^# Incident [0-9a-f-]{36}: "laptop"/);
  t.match(done.out, /- 3 acts, 3 devices let in because of it, 3 tokens/);
  for (const { wire } of [thief, inside]) t.match(await wire.close(), { code: 4001 });
  t.equal(bystander.wire.closed, undefined, 'nobody else lost a session');
  const left = (await ask<DevicesThen>('devices', 'list', '--at', 'now')).answer.paired.map(
    ({ displayName }) => displayName,
  );
  t.same(left, ['phone']);
  for (const device of [laptop, { ...friend, token: inside.device.token }])
    t.equal((await comes(device)).answer.ok, false);
  /* Whoever has the laptop had paired it with the gateway secret, and would come back with it. */
  t.match((await knock('stranger')).answer.error.details, { code: 'AUTH_TOKEN_MISMATCH' });
  t.equal(bystander.wire.closed, undefined);
  bystander.wire.end();
});

t.test(
  '6: the box died at three in the morning: start in seconds, say what you lost, never forget my pairings',
  async (t) => {
    const state = stateFolder(t);
    const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
    const gateway = await gatewayProcess(t, state, [], env);
    const keys = [newKey(), newKey(), newKey()];
    for (const key of keys) {
      const asked = await connect(gateway.port, key, { auth: { token: TOKEN } }, REMOTE);
      await openclaw(state, ['devices', 'approve', asked.answer.error.details.requestId]);
    }
    const open = await connect(gateway.port, keys[0], { auth: { token: TOKEN } }, REMOTE);
    t.equal(open.answer.ok, true);
    const before = logOf(state).length;
    await gateway.end('SIGKILL');
    const again = await gatewayProcess(t, state, [], env);
    t.match(
      again.said.err,
      new RegExp(
        `the last run ended without a stop; its record ends with event ${before} at .*Z\\. Nothing that was answered is lost; 1 session was open`,
      ),
    );
    const devices = JSON.parse((await openclaw(state, ['devices', 'list', '--json'])).out);
    t.same(
      devices.paired.map(({ deviceId }: { deviceId: string }) => deviceId).sort(),
      keys.map(({ id }) => id).sort(),
    );
    const then = JSON.parse((await openclaw(state, ['status', '--at', String(before), '--json'])).out)
      .answer as StatusThen;
    t.match(then, { running: true, paired: 3, connections: [{ device: keys[0]?.id }] });
    t.match(await openclaw(state, ['rebuild', '--check']), { code: 0, out: /, 0 different/ });
  },
);

t.test(
  "8: who approved this device, on what screen content, with which rights, and would today's rules have allowed it",
  async (t) => {
    const { type, ask, paired, knock, comes, state } = await scene(t);
    const boss = await paired('boss', ALL);
    const { device } = await knock('tablet', { scopes: ['operator.read'], client: { platform: 'ipados 19' } });
    const session = await comes(boss, { scopes: ALL });
    t.equal((await session.wire.call('device.pair.approve', { requestId: device.requestId })).ok, true);
    const answered = await ask<Who>('audit', 'who', 'tablet');
    const { requests, device: about } = answered.answer;
    t.match(about, {
      id: device.key.id,
      name: 'tablet',
      state: 'paired',
      roles: ['operator'],
      scopes: ['operator.read'],
    });
    const log = logOf(state);
    const seqOf = (type: Event['type']): number =>
      log.findLast((event) => event.type === type && event.subject === `device:${device.key.id}`)?.seq ?? 0;
    t.match(only(requests), {
      seq: seqOf('pairing.requested'),
      requestId: device.requestId,
      from: { address: '127.0.0.1', displayName: 'tablet', method: 'token', credential: /^[0-9a-f]{16}$/ },
      ask: {
        role: 'operator',
        scopes: ['operator.read'],
        need: 'not-paired',
        repair: false,
        client: { platform: 'ipados 19' },
      },
      outcome: {
        what: 'approved',
        seq: seqOf('pairing.approved'),
        rule: 'operator',
        today: null,
        by: {
          kind: 'connection',
          device: boss.key.id,
          name: 'boss',
          method: 'device-token',
          address: '127.0.0.1',
          scopes: ALL,
          credential: /^[0-9a-f]{16}$/,
        },
        granted: { roles: ['operator'], scopes: ['operator.read'] },
        token: { seq: seqOf('token.issued'), role: 'operator', scopes: ['operator.read'] },
      },
    });
    t.match(answered.answer.since, { connections: 0, refused: 1 });
    const words = (await type('audit', 'who', device.key.id.slice(0, 10))).out;
    t.match(
      words,
      /approved .*, \d+ m?s later \[event \d+\]\n +by "boss" \([0-9a-f]{12}…\), from 127\.0\.0\.1, proved by device-token [0-9a-f]{16}, connection/,
    );
    t.match(words, "today's rules would allow it");
    t.match(
      (await type('audit', 'who', boss.key.id)).out,
      new RegExp(`by the owner of the host, OS user ${userInfo().username}, proved by host-proof`),
    );
    const unknown = await type('audit', 'who', `${device.key.id.slice(0, 8)}ffff`);
    t.match(unknown, {
      code: 1,
      err: new RegExp(`^no device or request of that id in the log; near it: .*device ${device.key.id} \\(tablet\\)`),
    });
    session.wire.end();
  },
);

t.test('9: the gateway exactly as it was on 14 March at 09:12: devices, scopes, requests, connections', async (t) => {
  const { type, ask, paired, knock, comes, clock } = await scene(t);
  const desk = await paired('desk', ['operator.read']);
  const session = await comes(desk);
  const { device: waiting } = await knock('tablet');
  const list = JSON.parse((await type('devices', 'list', '--json')).out);
  const moment = new Date(clock.now()).toISOString();
  clock.skip(2 * DAY);
  session.wire.end();
  await type('devices', 'remove', desk.key.id);
  await paired('newcomer');

  const then = (await ask<DevicesThen>('devices', 'list', '--at', moment)).answer;
  t.same({ pending: then.pending, paired: then.paired }, list, 'the very answer that was given then');
  t.equal(only(then.pending).requestId, waiting.requestId);
  const status = (await ask<StatusThen>('status', '--at', moment)).answer;
  t.match(status, { running: true, paired: 1, pending: 1 });
  t.match(
    status.connections.filter(({ device }) => device === desk.key.id),
    [{ role: 'operator', method: 'device-token', credential: /^[0-9a-f]{16}$/ }],
  );
  t.match(
    (await type('devices', 'list', '--at', moment)).out,
    /^As of .*Z, last \[event \d+\] .*Z\nPending \(1\)\n[\s\S]*tablet[\s\S]*Paired \(1\)\n[\s\S]*desk/,
  );
  const changes = (await type('audit', 'diff', moment, 'now')).out;
  t.match(changes, /^- "desk" \([0-9a-f]{12}…\) \[event \d+\]/m);
  t.match(changes, /^\+ "newcomer" \(/m);
  for (const [said, words] of [
    ['last tuesday', /"last tuesday" is not a time: write 2026-03-14T09:12:00Z/],
    ['99999', /there is no event 99999 yet: the last is \d+/],
  ] as const)
    t.match(await type('devices', 'list', '--at', said), { code: 1, err: words });
});

t.test(
  '11: a CVE says approvals before last week could be forged: which of ours match, and which to redo',
  async (t) => {
    const { type, ask, paired, knock, comes, clock } = await scene(t);
    const clerk = await paired('clerk', ['operator.read', 'operator.pairing', 'operator.write']);
    const desk = await comes(clerk, { scopes: ['operator.read', 'operator.pairing', 'operator.write'] });
    const approvedBy = async (name: string): Promise<string> => {
      const { device } = await knock(name, { scopes: ['operator.write'] });
      await desk.wire.call('device.pair.approve', { requestId: device.requestId });
      const own = await type('devices', 'approve', device.requestId);
      if (own.code !== 0 && !own.err.includes('unknown requestId')) throw new Error(own.err);
      return device.key.id;
    };
    const early = await approvedBy('early');
    clock.skip(7 * DAY);
    const before = new Date(clock.now()).toISOString();
    await approvedBy('late');
    t.match((await type('audit', 'rejudge')).out, '3 approvals judged again, 0 would be refused now');
    const rules = join(mkdtempSync(join(tmpdir(), 'clawledger-rules-')), 'rules.json5');
    writeFileSync(
      rules,
      `{ refuse: [ { name: 'CVE-2026-99999', before: '${before}', scopes: ['operator.write'], rules: ['host-proof', 'operator'], roles: ['operator'] } ] } // whoever wrote`,
    );
    const { refused, approvals } = (
      await ask<{ approvals: number; refused: readonly { device: string; name: string }[] }>(
        'audit',
        'rejudge',
        '--rules',
        rules,
      )
    ).answer;
    t.equal(approvals, 3);
    t.match(
      [...refused].sort((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: 'clerk', refusedBy: 'CVE-2026-99999', inForce: true, device: clerk.key.id },
        { name: 'early', refusedBy: 'CVE-2026-99999', inForce: true, device: early },
      ],
    );
    t.match(
      (await type('audit', 'rejudge', '--rules', rules)).out,
      `in force: openclaw devices remove ${early}, and let it ask again`,
    );
    writeFileSync(rules, '{ refuse: [ { nam: "x" } ] }');
    t.match(await type('audit', 'rejudge', '--rules', rules), {
      code: 1,
      err: /the rules do not fit: .*unexpected property 'nam'/,
    });
    desk.wire.end();
  },
);

t.test('12: read access to the evidence and nothing else, and a record that I looked', async (t) => {
  const { paired, knock, comes, state } = await scene(t);
  const auditor = await paired('auditor', ['operator.audit']);
  const phone = (await knock('phone')).device;
  const { wire, answer } = await comes(auditor, { scopes: ['operator.audit'] });
  t.match(answer.payload.auth, { scopes: ['operator.audit'] });
  const found = await wire.call('audit.who', { id: phone.key.id });
  t.match(found, {
    ok: true,
    payload: { answer: { device: { id: phone.key.id, state: 'pending' } }, reading: Number },
  });
  const features: readonly string[] = answer.payload.features.methods;
  for (const method of features) {
    const { ok, error } = await wire.call(method, {});
    const isQuestion = method.startsWith('audit.') && method !== 'audit.erase';
    if (isQuestion || method === 'health') t.notMatch(error?.message ?? '', /missing scope/, method);
    else t.match({ ok, error }, { ok: false, error: { message: /^missing scope|unauthorized role/ } }, method);
  }
  t.match(await wire.call('device.pair.approve', { requestId: phone.requestId }), {
    ok: false,
    error: { message: 'missing scope: operator.pairing' },
  });
  t.match(await wire.call('incident.contain', { credential: 'x' }), {
    ok: false,
    error: { message: 'missing scope: operator.admin' },
  });
  wire.end();
  const [read] = ofType(logOf(state), 'log.read');
  t.match(read, {
    seq: found.payload.reading,
    actor: { kind: 'connection', device: auditor.key.id, scopes: ['operator.audit'] },
    data: { question: 'who', device: phone.key.id, upTo: found.payload.upTo },
  });
});

t.test('14: every admission event to our SIEM, once each, in order, and an alarm if it stops', async (t) => {
  const { type, paired, state } = await scene(t);
  const out = join(mkdtempSync(join(tmpdir(), 'clawledger-siem-')), 'events.jsonl');
  const rows = (): readonly { seq: number; gap?: object }[] =>
    readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  await paired('one');
  t.match(await type('audit', 'export', '--out', out), { code: 0, out: '' });
  const first = rows().length;
  t.same(
    rows().map(({ seq }) => seq),
    Array.from({ length: first }, (_, i) => i + 1),
  );

  /* It dies in the middle of a row, and is started again; then nothing is new; then something is. */
  writeFileSync(out, readFileSync(out, 'utf8').slice(0, -20));
  await paired('two');
  for (let i = 0; i < 3; i++) t.match(await type('audit', 'export', '--out', out), { code: 0 });
  const all = logOf(state);
  const kept = rows();
  t.same(
    kept.map(({ seq }) => seq),
    kept.map((_, i) => i + 1),
    'each once, in order',
  );
  for (const row of kept) {
    const { originHash: _, ...event } = JSON.parse(JSON.stringify(all[row.seq - 1]));
    const { originHash: __, ...exported } = row as never as Event;
    t.same(exported, event);
  }

  const cursor = /--cursor (\S+)/.exec((await type('audit', 'export', '--format', 'csv')).err)?.[1] ?? '';
  await paired('three');
  const more = await type('audit', 'export', '--format', 'csv', '--cursor', cursor, '--type', 'pairing');
  t.match(
    more.out
      .trim()
      .split('\n')
      .map((line) => line.split(',')[2]),
    ['pairing.requested', 'pairing.approved'],
  );
  const another = cursor.replace(/\.[0-9a-f]{16}$/, '.0000000000000000');
  t.match(await type('audit', 'export', '--cursor', another), {
    code: 3,
    err: /another log, or an older copy of it was restored/,
  });
});
