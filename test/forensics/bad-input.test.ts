import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { logOf, TOKEN } from '../support/gateway.js';
import { openclaw, stateFolder } from '../support/process.js';
import { type Case, refuses, refusesAll } from '../support/refuses.js';
import { type Scene, scene } from '../support/scene.js';

/* Questions that make no sense are refused with what would: on the command line with its exit code. */

/** The gateway of most of these tests, with a device that was let in and one that waits. */
const given = async (t: Test) => {
  const at = await scene(t);
  const phone = await at.paired('phone');
  const waiting = (await at.knock('tablet')).device;
  const [issued] = logOf(at.state).filter(({ type }) => type === 'token.issued');
  const credential = issued?.type === 'token.issued' ? issued.data.credential : '';
  const refused = logOf(at.state).find(({ type }) => type === 'connection.refused');
  const connection = refused?.subject.slice('connection:'.length) ?? '';
  return { at, phone, waiting, credential, connection };
};

/** The last character of an id is another one. */
const mistyped = (id: string): string => `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`;

t.test('an id that nobody knows: what is near is named', async (t) => {
  const { at, phone, waiting, credential, connection } = await given(t);
  const near = (kind: string, id: string): RegExp =>
    new RegExp(`^no .*of that id in the log; near it: .*${kind} ${id}`);
  const device = phone.key.id;
  const cases: readonly Case[] = [
    { args: ['audit', 'who', mistyped(device)], code: 1, err: near('device', device) },
    { args: ['audit', 'who', mistyped(waiting.requestId)], code: 1, err: near('request', waiting.requestId) },
    { args: ['audit', 'why', mistyped(connection)], code: 1, err: near('connection', connection) },
    { args: ['audit', 'credential', mistyped(credential)], code: 1, err: near('credential', credential) },
    { args: ['audit', 'credential', '--device', mistyped(device)], code: 1, err: near('device', device) },
    {
      args: ['audit', 'who', '!', '--log', at.state],
      code: 1,
      err: /^no device or request of that id in the log\n.*first six characters/,
    },
    { args: ['audit', 'why', device], code: 1, err: /^no connection of that id in the log/ },
    {
      args: ['audit', 'credential', credential, '--contain', '--keep', 'no such'],
      code: 1,
      err: /^no device of that id/,
    },
  ];
  await refusesAll(t, at.state, cases);
  t.equal((await at.type('audit', 'who', device.slice(0, 6))).code, 0, 'the first six characters are enough');
  t.equal((await at.type('audit', 'who', 'PHONE')).code, 0, 'and so is its name');
});

t.test('a beginning that more than one id has is not guessed at', async (t) => {
  const { at, connection } = await given(t);
  /* Ids of connections begin with the time. */
  await refuses(t, at.state, {
    args: ['audit', 'why', connection.slice(0, 6)],
    code: 1,
    err: new RegExp(`^more than one connection begins like that: connection ${connection.slice(0, 6)}.*, connection `),
  });
});

t.test('whom one vouches for may be named like any device, and is not shut out', async (t) => {
  const { at, phone } = await given(t);
  for (const said of ['phone', phone.key.id.slice(0, 8)]) {
    const asked = ['audit', 'credential', '--secret-from-stdin', '--keep', said, '--json'];
    const { code, out, err } = await openclaw(at.state, asked, {}, TOKEN);
    t.equal(code, 0, err);
    const { answer } = JSON.parse(out);
    t.same(answer.kept, [phone.key.id], said);
    t.notMatch(answer.plan, [{ device: phone.key.id }]);
    t.same(answer.devices, []);
  }
});

t.test('what looks like a credential is refused, and not repeated', async (t) => {
  const { at, phone } = await given(t);
  for (const secret of [TOKEN, phone.token ?? '', 'x'.repeat(17)]) {
    const err = /looks like the credential itself, .* use --secret-from-stdin\n$/;
    const ended = await refuses(t, at.state, { args: ['audit', 'credential', secret], code: 2, err });
    t.notOk(ended.err.includes(secret.slice(0, 8)));
    const contained = { args: ['audit', 'credential', secret, '--contain'], code: 2, err };
    await refuses(t, at.state, contained);
  }
});

t.test('options that do not go together', async (t) => {
  const { at, credential } = await given(t);
  const lost = /^name what is in other hands: a credential by its fingerprint, .* or a device with --device\n$/;
  const before = logOf(at.state).length;
  const folder = join(at.state, 'reports');
  mkdirSync(folder);
  const cases: readonly Case[] = [
    { args: ['audit', 'credential'], code: 2, err: lost },
    { args: ['audit', 'credential', credential, '--device', 'phone'], code: 2, err: lost },
    { args: ['audit', 'credential', credential, '--secret-from-stdin'], code: 2, err: lost, stdin: TOKEN },
    {
      args: ['audit', 'credential', '--secret-from-stdin'],
      code: 2,
      err: /nothing came on standard input/,
      stdin: ' \n',
    },
    { args: ['audit', 'credential', '--secret-from-stdin'], code: 2, err: /nothing came on standard input/, stdin: '' },
    { args: ['audit', 'credential', credential, '--dry-run'], code: 2, err: /^--dry-run goes with --contain\n$/ },
    {
      args: ['audit', 'credential', credential, '--contain', '--log', at.state],
      code: 2,
      err: /^--contain needs the gateway, not a copy/,
    },
    {
      args: ['audit', 'credential', credential, '--contain', '--report', folder],
      code: 2,
      err: /^--report: .* is a folder\n$/,
    },
    {
      args: ['audit', 'credential', credential, '--contain', '--report', join(folder, 'none', 'r.md')],
      code: 2,
      err: /^--report: ENOENT/,
    },
    { args: ['audit', 'log', '--follow', '--log', at.state], code: 2, err: /^--follow: a copy does not grow\n$/ },
    { args: ['devices', 'prune'], code: 2, err: /required option '--not-seen <time>' not specified/ },
    { args: ['audit', 'who'], code: 2, err: /missing required argument 'id'/ },
    { args: ['audit', 'log', '--limit', 'many'], code: 2, err: /It must be a whole number/ },
    { args: ['audit', 'export', '--format', 'xml'], code: 2, err: /Allowed choices are jsonl, csv/ },
  ];
  await refusesAll(t, at.state, cases);
  const decided = logOf(at.state).slice(before);
  t.same(
    decided.filter(({ type }) => !type.startsWith('connection.')),
    [],
    'nothing was done, and nothing was read',
  );
});

t.test('times, types and rules that nobody knows', async (t) => {
  const { at, credential } = await given(t);
  const rules = join(at.state, 'rules.json5');
  const written = (content: string): string => {
    writeFileSync(rules, content);
    return rules;
  };
  const time = /^"soon" is not a time: write 2026-03-14T09:12:00Z, .*"2h ago"/;
  const cases: readonly Case[] = [
    { args: ['audit', 'log', '--since', 'soon'], code: 1, err: time },
    { args: ['audit', 'diff', 'soon', 'now'], code: 1, err: time },
    { args: ['status', '--at', 'soon'], code: 1, err: time },
    { args: ['audit', 'credential', credential, '--contain', '--until', 'soon'], code: 1, err: time },
    {
      args: ['audit', 'credential', credential, '--contain', '--since', '99999999999999999999'],
      code: 1,
      err: /is not a time/,
    },
    { args: ['audit', 'stale', '--not-seen', '90'], code: 1, err: /^"90" is not a length of time: write 90d, 12h/ },
    { args: ['devices', 'prune', '--not-seen', '2 months'], code: 1, err: /^"2 months" is not a length of time/ },
    {
      args: ['audit', 'log', '--type', 'pairing.x'],
      code: 1,
      err: /^unknown event type; there are: pairing\.requested, (?!.*connection\.)/,
    },
    { args: ['audit', 'log', '--type', 'x'], code: 1, err: /^unknown event type; there are: .*gateway\.started/ },
    { args: ['audit', 'log', '--type', 'pair'], code: 1, err: /^unknown event type/ },
    { args: ['audit', 'rejudge', '--rules', join(at.state, 'none')], code: 2, err: /^--rules: ENOENT/ },
    { args: ['audit', 'rejudge', '--rules', at.state], code: 2, err: /^--rules: EISDIR/ },
  ];
  await refusesAll(t, at.state, cases);
  for (const [content, err] of [
    ['{ refuse: [', /^the rules are not JSON5: line 1, column \d+\n/],
    ['[]', /^the rules do not fit: the file: must be object/],
    ['{ refuse: [{}] }', /^the rules do not fit: refuse\.0: must have required property 'name'/],
    ["{ refuse: [{ name: 'x', before: 'soon' }] }", /^the rules do not fit: refuse\.0\.before: must be a time such as/],
    ["{ refuse: [{ name: 'x', from: ['10.0.0.0/99'] }] }", /refuse\.0\.from\.0: must be an IP address or a network/],
    ["{ refuse: [{ name: 'x', roles: ['admin'] }] }", /refuse\.0\.roles\.0: must be one of operator, node/],
    [`{ refuse: [] } // ${'x'.repeat(70_000)}`, /invalid audit\.rejudge params: at \/rules: must NOT have more than/],
  ] as const)
    await refuses(t, at.state, { args: ['audit', 'rejudge', '--rules', written(content)], code: 1, err });
});

const exported = async (at: Scene, ...args: readonly string[]): Promise<readonly string[]> => {
  const { code, out, err } = await at.type('audit', 'export', ...args);
  if (code !== 0) throw new Error(err);
  return out.trimEnd().split('\n');
};

t.test('an export goes on only after what it has, and only into what is one', async (t) => {
  const { at } = await given(t);
  const out = join(at.state, 'out.jsonl');
  const notes = join(at.state, 'notes.txt');
  const another = (await scene(t)).state;
  const cursor = /--cursor (\S+)/.exec((await openclaw(another, ['audit', 'export'])).err)?.[1] ?? '';
  await exported(at, '--out', out);
  const rows = readFileSync(out, 'utf8');
  const foreign = join(at.state, 'foreign.jsonl');
  t.equal((await openclaw(another, ['audit', 'export', '--out', foreign])).code, 0);
  writeFileSync(notes, 'remember the milk');
  const form = /^--cursor: it looks like 1234\.0123456789abcdef/;
  const other = /^the last exported event is not what the log has at that number: this is another log/;
  const cases: readonly Case[] = [
    ...['', 'x', '12', '12.34', '-1.0123456789abcdef', '12.0123456789ABCDEF'].map((bad) => ({
      args: ['audit', 'export', `--cursor=${bad === '' ? ' x' : bad}`],
      code: 2,
      err: form,
    })),
    { args: ['audit', 'export', '--cursor', cursor], code: 3, err: other },
    { args: ['audit', 'export', '--cursor', '999999.0123456789abcdef'], code: 3, err: other },
    { args: ['audit', 'export', '--out', foreign], code: 3, err: other },
    { args: ['audit', 'export', '--out', at.state], code: 2, err: /^--out: EISDIR/ },
    { args: ['audit', 'export', '--out', join(at.state, 'none', 'x')], code: 2, err: /^--out: ENOENT/ },
    { args: ['audit', 'export', '--out', notes], code: 2, err: /^--out: .* has something else in it than an export/ },
    { args: ['audit', 'export', '--cursor-file', at.state], code: 2, err: /^--cursor-file: EISDIR/ },
    { args: ['audit', 'export', '--cursor', cursor, '--cursor-file', notes], code: 2, err: /not both/ },
    { args: ['audit', 'export', '--cursor', cursor, '--out', out], code: 2, err: /^--out: the file itself says/ },
  ];
  await refusesAll(t, at.state, cases);
  t.equal(readFileSync(out, 'utf8'), rows, 'nothing was written');
  t.equal(readFileSync(notes, 'utf8'), 'remember the milk', 'least of all into what is something else');
});

t.test('where there is no log it is said so', async (t) => {
  const state = stateFolder(t);
  await refuses(t, state, { args: ['audit', 'who', 'phone', '--log', state], code: 1, err: /^there is no log in / });
  await refuses(t, state, { args: ['audit', 'who', 'phone'], code: 1, err: /there is no log in / });
});
