import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Fact } from '../../events/index.js';
import { loadKeys } from '../../src/credentials/keys.js';
import type { BlastRadius } from '../../src/forensics/radius.js';
import { systemClock, systemEntropy } from '../../src/runtime.js';
import { connect, newKey, REMOTE } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { asked, openLedger, write } from '../support/ledger.js';
import { ALL } from '../support/people.js';
import { openclaw, stateFolder } from '../support/process.js';
import { scene } from '../support/scene.js';

/* What a containment must not leave open, and what it must not hit. */

const keptSecret = (state: string): string =>
  readFileSync(join(state, 'gateway.env'), 'utf8').trim().split('=')[1] ?? '';

t.test('a request that has expired, and that nobody has swept, holds nothing up', async (t) => {
  const state = stateFolder(t);
  const HOUR = 3_600_000;
  const ledger = await openLedger(join(state, 'ledger'), { clock: { ...systemClock, now: () => Date.now() - HOUR } });
  loadKeys(join(state, 'ledger', 'keys.json'), systemEntropy(), 'make');
  const credential = 'feed0123feed0123';
  const gateway = { kind: 'gateway', rule: 'start' } as const;
  const request = asked('a'.repeat(64), randomUUID());
  await write(
    ledger,
    { type: 'gateway.secret-rotated', subject: 'gateway', actor: gateway, data: { to: credential, source: 'test' } },
    { ...request, actor: { kind: 'connection', connection: 'c', method: 'token', credential } } as Fact,
  );
  await ledger.close();
  const contained = await openclaw(state, ['audit', 'credential', credential, '--contain']);
  t.equal(contained.code, 0, contained.err);
  t.match(contained.out, /Closed .* after 1 round/);
});

t.test('two at once: one secret comes of it, and it is the one that is kept', async (t) => {
  const { paired, comes, state, port } = await scene(t);
  const bosses = await Promise.all(['one', 'two'].map((name) => paired(name, ALL)));
  const wires = await Promise.all(bosses.map(async (boss) => (await comes(boss, { scopes: ALL })).wire));
  const credential = logOf(state).findLast(({ type }) => type === 'gateway.secret-rotated')?.data as { to: string };
  const keep = bosses.map(({ key }) => key.id);
  const answers = await Promise.all(
    wires.map((wire) => wire.call('incident.contain', { credential: credential.to, keep })),
  );
  t.same(
    answers.map(({ ok }) => ok),
    [true, true],
  );
  t.equal(answers.filter(({ payload }) => payload.incident !== null).length, 1, 'the second finds nothing left');
  t.equal(logOf(state).filter(({ type }) => type === 'gateway.incident-opened').length, 1);
  const { answer } = await connect(port, newKey(), { auth: { token: keptSecret(state) } }, REMOTE);
  t.match(answer.error.details, { code: 'PAIRING_REQUIRED' }, 'what is kept is what is in force');
  for (const wire of wires) wire.end();
});

t.test('a name that two devices have is nobody, and a hint is the same question', async (t) => {
  const { type, paired } = await scene(t);
  const first = await paired('twin');
  await paired('twin');
  t.match(await type('audit', 'credential', '--device', 'twin', '--contain'), {
    code: 1,
    err: /^more than one device has that name: device [0-9a-f]{64} \(twin\), device/,
  });
  const dry = await type('audit', 'credential', '--device', first.key.id, '--since', '1', '--contain', '--dry-run');
  t.match(dry.err, `openclaw audit credential --device ${first.key.id} --since '1' --contain`);
});

t.test('what a device got by its own token, which others have, is taken back', async (t) => {
  const { ask, type, paired, comes, knock, approve } = await scene(t);
  const phone = await paired('phone', ['operator.read']);
  const asking = await comes(phone, { scopes: ['operator.read', 'operator.write'] });
  const { requestId } = JSON.parse((await type('devices', 'list', '--json')).out).pending[0];
  await approve({ ...phone, requestId });
  asking.wire.end();
  const { answer } = await ask<BlastRadius>('audit', 'who', phone.key.id);
  const token =
    (answer as never as { requests: readonly { outcome?: { token?: { credential: string } } }[] }).requests[0]?.outcome
      ?.token?.credential ?? '';
  const found = (await ask<BlastRadius>('audit', 'credential', token)).answer;
  t.match(found.branches, [{ device: phone.key.id, because: 'widened', scopes: ['operator.read', 'operator.write'] }]);
  t.match(
    found.plan.find((step) => step.do === 'remove-device'),
    { device: phone.key.id },
  );
  t.equal((await type('audit', 'credential', token, '--contain')).code, 0);
  t.match((await knock('phone', { auth: { token: TOKEN } }, phone.key)).answer, { ok: false });
});

t.test('a secret that had been replaced before anybody knew is barred all the same', async (t) => {
  const { state, stop } = await scene(t);
  const set = logOf(state).find(({ type }) => type === 'gateway.secret-rotated');
  const old = set?.type === 'gateway.secret-rotated' ? set.data.to : '';
  await stop();
  const later = await scene(t, { state, env: { OPENCLAW_GATEWAY_TOKEN: 'another-token-8d21' } });
  t.match(
    (await later.type('audit', 'credential', old, '--contain')).out,
    /Closed .* after 1 round; 0 sessions closed/,
  );
  await later.stop();
  await t.rejects(scene(t, { state }), /given up because it leaked/);
});

t.test('a secret that is replaced because a lost device knew it does not come back with a restart', async (t) => {
  const { paired, type, state, stop } = await scene(t);
  await paired('laptop');
  t.match((await type('audit', 'credential', '--device', 'laptop', '--contain')).out, 'The shared secret was replaced');
  await stop();
  await t.rejects(scene(t, { state }), /given up because it leaked/);
  await (await scene(t, { state, env: { OPENCLAW_GATEWAY_TOKEN: '' } })).stop();
});

t.test('one question at a time for each session, and a reading goes forward only', async (t) => {
  const { paired, comes } = await scene(t);
  const auditor = await paired('auditor', ['operator.audit']);
  const { wire } = await comes(auditor, { scopes: ['operator.audit'] });
  const questions = [
    { id: 'rejudge', method: 'audit.rejudge' },
    { id: 'log', method: 'audit.log' },
  ];
  for (const question of questions) wire.send({ type: 'req', params: {}, ...question });
  const answers = [await wire.next(({ type }) => type === 'res'), await wire.next(({ type }) => type === 'res')];
  const [first, second] = questions.map(({ id }) => answers.find((answer) => answer.id === id));
  t.equal(first.ok, true);
  t.match(second, { ok: false, error: { message: /^one question at a time/ } });
  const read = (await wire.call('audit.log', { after: 3, limit: 1 })).payload;
  t.equal((await wire.call('audit.log', { after: 4, limit: 1, reading: read.reading })).payload.reading, read.reading);
  const back = (await wire.call('audit.log', { after: 0, limit: 1000, reading: read.reading })).payload;
  t.not(back.reading, read.reading, 'going back is another reading, and on the record');
  wire.end();
});
