import t, { type Test } from 'tap';

import { logOf, TOKEN } from '../support/gateway.js';
import { ALL } from '../support/people.js';
import { openclaw } from '../support/process.js';
import { type Case, refuses, refusesAll } from '../support/refuses.js';
import { scene } from '../support/scene.js';

/* Questions whose params are no params: too long, of another kind, or made to draw on a terminal. */

/** Texts that would draw on a terminal, or are far too long. */
const ODD = [
  '\u001b[31mred\u001b[0m',
  '\u202egnp.exe',
  'a\u0007\u009b2Jb',
  'x'.repeat(10_000),
  '../../etc/passwd',
  'é'.repeat(400),
];
const MARKS = ['\u001b', '\u0007', '\u009b', '\u202e', 'x'.repeat(600)];
const draws = (text: string): boolean => MARKS.some((mark) => text.includes(mark));

const odd = async (t: Test, state: string, ...more: readonly string[]): Promise<void> => {
  for (const id of ODD) {
    const questions = [
      ['audit', 'who', id],
      ['audit', 'why', id],
      ['audit', 'diff', id, 'now'],
      ['audit', 'credential', '--device', id],
      ['audit', 'log', '--type', id],
      ['audit', 'stale', '--not-seen', id],
    ];
    const cases = questions.map((args): Case => ({ args: [...args, ...more], code: 1, err: /./ }));
    for (const { err } of await refusesAll(t, state, cases)) t.notOk(draws(err));
    const { code, out, err } = await openclaw(state, ['audit', 'log', '--device', id, ...more]);
    t.equal(code, 1, err.slice(0, 200));
    t.equal(out, '');
    t.notOk(draws(err));
  }
};

t.test('odd ids are refused in few words, and draw nothing', async (t) => {
  const at = await scene(t);
  await at.paired('phone');
  await odd(t, at.state);
  t.equal((await at.type('audit', 'who', 'phone')).code, 0, 'and the gateway is well');
});

t.test('so they are where a copy is asked, or the log of a gateway that is down', async (t) => {
  const at = await scene(t);
  await at.paired('phone');
  await at.stop();
  await odd(t, at.state, '--log', at.state);
  for (const id of ['x'.repeat(10_000), '../../etc/passwd'])
    await refuses(t, at.state, { args: ['audit', 'who', id], code: 1, err: /(?:must NOT have more|no device)/ });
});

t.test('params of a question that it does not know are refused, with the place', async (t) => {
  const at = await scene(t);
  await at.paired('phone');
  const auditor = await at.paired('auditor', ALL);
  const { wire } = await at.comes(auditor, { scopes: ALL });
  const before = logOf(at.state).length;
  const cases: readonly (readonly [method: string, params: unknown, message: string | RegExp])[] = [
    ['audit.who', {}, "invalid audit.who params: must have required property 'id'"],
    ['audit.who', { id: 7 }, 'invalid audit.who params: at /id: must be string'],
    ['audit.who', { id: '' }, 'invalid audit.who params: at /id: must NOT have fewer than 1 characters'],
    ['audit.who', { id: 'x', also: 1 }, /^invalid audit\.who params: .*unexpected property 'also'/],
    [
      'audit.why',
      { id: 'x'.repeat(10_000) },
      'invalid audit.why params: at /id: must NOT have more than 512 characters',
    ],
    ['audit.why', [], 'invalid audit.why params: must be object'],
    ['audit.log', { limit: 0 }, 'invalid audit.log params: at /limit: must be >= 1'],
    ['audit.log', { limit: 100_000 }, 'invalid audit.log params: at /limit: must be <= 1000'],
    ['audit.log', { after: -1 }, 'invalid audit.log params: at /after: must be >= 0'],
    ['audit.log', { reading: 'x' }, 'invalid audit.log params: at /reading: must be integer'],
    ['audit.log', { devices: 'x' }, /unexpected property 'devices'/],
    ['audit.devices', {}, "invalid audit.devices params: must have required property 'at'"],
    ['audit.diff', { from: '1' }, "invalid audit.diff params: must have required property 'to'"],
    ['audit.credential', { credential: 'x', keep: 'y' }, 'invalid audit.credential params: at /keep: must be array'],
    ['audit.credential', { keep: [1] }, 'invalid audit.credential params: at /keep/0: must be string'],
    ['audit.credential', {}, 'name what is in other hands: one credential, or one device'],
    [
      'audit.credential',
      { credential: 'x', device: 'y' },
      'name what is in other hands: one credential, or one device',
    ],
    ['audit.rejudge', { rules: {} }, 'invalid audit.rejudge params: at /rules: must be string'],
    ['audit.stale', { notSeen: 90 }, 'invalid audit.stale params: at /notSeen: must be string'],
    ['audit.incident', { id: 'x' }, /^no incident of that id/],
    ['audit.nothing', {}, 'unknown method: audit.nothing'],
    [
      'incident.contain',
      { device: 'phone', dryRun: 'yes' },
      'invalid incident.contain params: at /dryRun: must be boolean',
    ],
    ['incident.contain', { secret: TOKEN }, /unexpected property 'secret'/],
    ['device.pair.remove', { deviceId: 'x', unseenSince: -1 }, /at \/unseenSince: must be >= 0/],
  ];
  for (const [method, params, message] of cases) {
    const answer = await wire.call(method, params);
    t.match(answer, { ok: false, error: { code: 'INVALID_REQUEST', message } }, method);
    t.notOk(JSON.stringify(answer).includes(TOKEN));
  }
  t.same(logOf(at.state).slice(before), [], 'and nothing was read');
  wire.end();
});
