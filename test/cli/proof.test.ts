import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Store } from '../../src/ledger/store.js';
import { keyType, vkeyOf, vkeyText } from '../../src/proof/note.js';
import { type Damage, damageClasses } from '../../src/verify/damage.js';
import type { Hole } from '../../src/verify/holes.js';
import type { Report } from '../../src/verify/verify.js';
import { TOKEN } from '../support/credentials.js';
import { connect, newKey, REMOTE } from '../support/device.js';
import { ORIGIN, policyText, receiptOf } from '../support/log.js';
import { gatewayProcess, openclaw, stateFolder } from '../support/process.js';
import { tamper } from '../support/tamper.js';
import { grown, keyOf, leavesOf } from '../support/tree.js';

/* Evidence as people make it, hand it over and check it: by commands, of a gateway that runs, of one that is down, and of copies. */

const WITH_TOKEN = { OPENCLAW_GATEWAY_TOKEN: TOKEN };

interface Scene {
  readonly state: string;
  /** Where somebody else keeps things. */
  readonly elsewhere: string;
  readonly mark: string;
}

const scene = (t: Test): Scene => {
  const state = stateFolder(t);
  const elsewhere = stateFolder(t);
  const mark = join(elsewhere, 'mark');
  writeFileSync(join(state, 'openclaw.json'), JSON.stringify({ gateway: { audit: { highWaterMark: mark } } }));
  return { state, elsewhere, mark };
};

/** A device that asks, and the id of its request. */
const asks = async (port: number): Promise<string> => {
  const claims = { client: { displayName: 'Ada' }, auth: { token: TOKEN } };
  const { wire, answer } = await connect(port, newKey(), claims, REMOTE);
  wire.end();
  return answer.error?.details.requestId as string;
};

const done = async (state: string, ...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await openclaw(state, args, WITH_TOKEN);
  if (code !== 0) throw new Error(`openclaw ${args.join(' ')} ended with ${code}: ${out}${err}`);
  return out;
};

const report = async (state: string, ...args: readonly string[]): Promise<Report> =>
  JSON.parse((await openclaw(state, ['audit', 'verify', '--json', ...args], WITH_TOKEN)).out) as Report;

const classes = ({ damage }: { readonly damage: readonly Damage[] }) => damage.map((one) => one.class);
const holes = ({ holes }: { readonly holes: readonly Hole[] }) => holes.map(({ kind }) => kind);

t.test('a receipt of an approval proves it on a machine that has nothing but the receipt and the policy', async (t) => {
  const { state, elsewhere } = scene(t);
  const gateway = await gatewayProcess(t, state, ['--no-auto-approve'], WITH_TOKEN);
  const request = await asks(gateway.port);
  await done(state, 'devices', 'approve', request);
  const receipt = join(elsewhere, 'approval.tlog-proof');
  const policy = join(elsewhere, 'policy');
  await done(state, 'audit', 'prove', '--request', request, '--out', receipt);
  writeFileSync(policy, await done(state, 'audit', 'checkpoint', '--policy'));
  t.ok(statSync(receipt).size < 2048, `${statSync(receipt).size} bytes`);
  await gateway.end();
  rmSync(state, { recursive: true });
  const nowhere = stateFolder(t);
  const checked = await openclaw(nowhere, ['audit', 'check-receipt', receipt, '--policy', policy, '--json']);
  t.equal(checked.code, 0, checked.err);
  const { proven, leaf } = JSON.parse(checked.out) as { proven: boolean; leaf: string };
  t.equal(proven, true);
  t.match(JSON.parse(leaf), { type: 'pairing.approved', data: { requestId: request } });

  writeFileSync(
    receipt,
    readFileSync(receipt, 'utf8').replace(/^(index )(\d+)$/m, (_, index, n) => `${index}${Number(n) + 1}`),
  );
  const forged = await openclaw(nowhere, ['audit', 'check-receipt', receipt, '--policy', policy]);
  t.equal(forged.code, 3);
  t.match(forged.err, /proves nothing: it fails at the step "inclusion"/);
});

t.test('a log is sound, and says itself where it has holes', async (t) => {
  const { state, elsewhere, mark } = scene(t);
  let gateway = await gatewayProcess(t, state, ['--no-auto-approve'], WITH_TOKEN);
  const request = await asks(gateway.port);
  const old = join(elsewhere, 'old');
  writeFileSync(old, await done(state, 'audit', 'checkpoint'));
  const policy = join(elsewhere, 'policy');
  writeFileSync(policy, await done(state, 'audit', 'checkpoint', '--policy'));
  await done(state, 'devices', 'approve', request);
  t.match(await report(state, '--policy', policy, '--from', old), {
    sound: true,
    damage: [],
    checkpoint: { origin: /^clawledger\/[0-9a-f]{16}$/, signedBy: /^clawledger/ },
    extends: [{ name: old }, { name: new RegExp(mark) }],
  });
  await gateway.end();
  gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  await gateway.end('SIGKILL');
  gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  await done(state, 'audit', 'erase', '--subject', `request:${request}`, '--reason', 'they asked for it');
  await gateway.end();
  const after = await report(state, '--policy', policy, '--from', old);
  t.match(after, { sound: true, damage: [] });
  t.same(holes(after), ['not-running', 'not-running', 'erased']);
  t.match(after.holes, [{ stopped: true }, { stopped: false }, { reason: 'they asked for it', events: Number }]);
  const words = await openclaw(state, ['audit', 'verify', '--policy', policy]);
  t.match(words, {
    code: 0,
    out: /integrity {5}sound\n {2}completeness {2}3 holes\n(.*\n)*Sound: every event is what was signed for\. Its lists were not compared with it: --views\.\n$/,
  });
});

t.test('a copy from yesterday is not gone on with, until somebody says so on the record', async (t) => {
  const { state, elsewhere, mark } = scene(t);
  const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  await gateway.end();
  const yesterday = join(elsewhere, 'yesterday');
  cpSync(state, yesterday, { recursive: true });
  const again = await gatewayProcess(t, state, [], WITH_TOKEN);
  await asks(again.port);
  const kept = join(elsewhere, 'kept');
  writeFileSync(kept, await done(state, 'audit', 'checkpoint'));
  await again.end();
  rmSync(state, { recursive: true });
  cpSync(yesterday, state, { recursive: true });
  /* Node 22 does not copy the mode of a folder. */
  chmodSync(state, 0o700);

  const refused = await openclaw(state, ['gateway', 'run', '--port', '0'], WITH_TOKEN);
  t.equal(refused.code, 3);
  t.match(
    refused.err,
    /the log was rolled back: \d+ events were signed for, and it ends with event \d+ \(high-water mark .*mark\)/,
  );
  t.match(refused.err, /openclaw audit accept-fork --reason/);
  const offline = await openclaw(state, ['devices', 'approve', 'anything'], WITH_TOKEN);
  t.equal(offline.code, 3, 'nor does a command decide anything on it');
  t.same(classes(await report(state)), ['rolled-back'], 'and it can be seen without starting it');

  t.equal((await openclaw(state, ['audit', 'accept-fork'], WITH_TOKEN)).code, 2, 'not without a reason');
  const accepted = await openclaw(state, ['audit', 'accept-fork', '--reason', 'the disk was lost'], WITH_TOKEN);
  t.equal(accepted.code, 0, accepted.err);
  t.equal(
    (await openclaw(state, ['audit', 'accept-fork', '--reason', 'x'], WITH_TOKEN)).code,
    1,
    'there is nothing more to accept',
  );
  const third = await gatewayProcess(t, state, [], WITH_TOKEN);
  await third.end();
  const after = await report(state);
  t.match(after, { sound: true, extends: [{ name: new RegExp(mark) }] });
  t.match(
    after.holes.find(({ kind }) => kind === 'restored'),
    { reason: 'the disk was lost' },
  );
  t.same(classes(await report(state, '--from', kept)), ['rolled-back'], 'whoever kept a checkpoint sees the fork');
});

t.test('events that nobody signed, and a row that no event made, are not passed over', async (t) => {
  const { state, elsewhere } = scene(t);
  const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  const [policy, old] = [join(elsewhere, 'policy'), join(elsewhere, 'old')];
  writeFileSync(policy, await done(state, 'audit', 'checkpoint', '--policy'));
  writeFileSync(old, await done(state, 'audit', 'checkpoint'));
  await asks(gateway.port);
  await gateway.end();
  const ledger = join(state, 'ledger');
  t.match(await report(state, '--from', old, '--from', old, '--policy', policy, '--views', ledger), {
    sound: true,
    views: 'compared',
    extends: [{ name: old }, { name: old }],
  });

  const store = new Store({ path: ledger });
  const position = store.position();
  if (position === undefined) throw new Error('no position');
  const changes = [{ view: 'paired', cleared: false, rows: new Map([['evil', '{"device":"evil"}']]) }] as const;
  store.commit({ events: [], changes, position, checkpoint: readFileSync(old, 'utf8') });
  await store.close();
  const unsigned = await openclaw(state, ['audit', 'verify', '--policy', policy, ledger]);
  t.equal(unsigned.code, 3, 'a checkpoint of before covers less');
  t.match(unsigned.out, /Sound up to event \d+, by clawledger\/[0-9a-f]+\. Nobody vouches for events \d+ to \d+\./);
  t.match(await report(state, '--views', ledger), {
    sound: false,
    damage: [{ class: 'view-mismatch', what: 'paired evil is extra' }],
  });
});

t.test('without its mark a log that had one is not gone on with, and a mark that is away loses nothing', async (t) => {
  const { state, mark } = scene(t);
  const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  await gateway.end();
  rmSync(mark);
  t.match(await openclaw(state, ['gateway', 'run', '--port', '0'], WITH_TOKEN), {
    code: 3,
    err: /is its disk mounted/,
  });
  t.match(await openclaw(state, ['audit', 'archive', '--hold', 'case 1']), { code: 3, err: /is its disk mounted/ });
  writeFileSync(
    join(state, 'openclaw.json'),
    JSON.stringify({ gateway: { audit: { highWaterMark: '/nowhere/mark' } } }),
  );
  t.match(await openclaw(state, ['gateway', 'run', '--port', '0'], WITH_TOKEN), {
    code: 3,
    err: /is its disk mounted/,
  });
});

t.test(
  'a pipe in the place of the mark holds nobody up: neither who starts, nor who signs, nor who verifies',
  async (t) => {
    const { state, mark } = scene(t);
    const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
    await done(state, 'audit', 'checkpoint');
    rmSync(mark);
    execFileSync('mkfifo', [mark]);
    await asks(gateway.port);
    t.match(await openclaw(state, ['audit', 'checkpoint']), { code: 1, err: /cannot be written: it is no file/ });
    t.match(await openclaw(state, ['audit', 'verify'], WITH_TOKEN), { code: 1, err: /cannot be read: it is no file/ });
    t.match(await gateway.end(), { code: 0 });
    t.match(await openclaw(state, ['gateway', 'run', '--port', '0'], WITH_TOKEN), {
      code: 78,
      err: /cannot be read: it is no file/,
    });
  },
);

t.test('an event that was changed is named, in a folder, a copy of it, and an archive', async (t) => {
  const { state, elsewhere } = scene(t);
  const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  await asks(gateway.port);
  await gateway.end();
  const copy = join(elsewhere, 'copy');
  cpSync(join(state, 'ledger'), copy, { recursive: true });
  t.match(await report(state, copy), { sound: true, log: `ledger ${copy}` });
  await tamper(join(state, 'ledger'), async (db) => {
    const events = db('events', 'binary');
    const bytes = Buffer.from(events.get(2) as Buffer);
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
    await events.put(2, bytes);
  });
  const found = await openclaw(state, ['audit', 'verify'], WITH_TOKEN);
  t.equal(found.code, 3);
  t.match(found.out, /leaf-changed {5}event 2: an event is not what was recorded/);
  t.match(found.out, /DAMAGED/);
  const tar = join(elsewhere, 'log.tgz');
  const { create } = await import('tar');
  await create({ file: tar, gzip: true, cwd: state }, ['ledger']);
  const inTar = await report(state, tar);
  t.same(classes(inTar), ['leaf-changed']);
  t.equal(inTar.log, `ledger ${tar}`);
});

t.test('a file that LMDB cannot read is damage too', async (t) => {
  const { state, elsewhere } = scene(t);
  const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  await gateway.end();
  const copy = join(elsewhere, 'copy');
  cpSync(join(state, 'ledger'), copy, { recursive: true });
  const data = readFileSync(join(copy, 'data.mdb'));
  data.fill(0xa5, 8192);
  writeFileSync(join(copy, 'data.mdb'), data);
  const found = await openclaw(state, ['audit', 'verify', copy], WITH_TOKEN);
  t.equal(found.code, 3, found.out);
  t.match(found.err, /store-unreadable/);
});

t.test('bad input is refused with what is wrong, and the step that failed', async (t) => {
  const folder = stateFolder(t);
  const file = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const tree = grown(leavesOf(5));
  const policy = file('policy', policyText());
  const receipt = receiptOf(tree, 3, 5);
  const good = file('good.tlog-proof', receipt);
  const mustFail = async (args: readonly string[], code: number, says: RegExp, name: string): Promise<void> => {
    const ended = await openclaw(folder, ['audit', ...args]);
    t.equal(ended.code, code, `${name}: ${ended.err}`);
    t.match(ended.err, says, name);
    t.notMatch(ended.err, /\n {4}at /, `${name}: no stack`);
  };
  const check = (of: string, by = policy): readonly string[] => ['check-receipt', of, '--policy', by];

  const ofAnother = `log ${vkeyText(vkeyOf('other.example', keyType.note, keyOf(1)))}\nquorum none\n`;
  await mustFail(check(good, file('another', ofAnother)), 3, /"log signature": the policy names no log/, 'another log');
  const otherKey = `log ${vkeyText(vkeyOf(ORIGIN, keyType.note, keyOf(9)))}\nquorum none\n`;
  await mustFail(check(good, file('key', otherKey)), 3, /"log signature": signed by no key/, 'another key');
  const otherLog = file('other', policyText().replaceAll(ORIGIN, 'other.example'));
  await mustFail(check(good, otherLog), 2, /--policy: line 1: a verifier key whose id is/, 'a key of another name');
  await mustFail(check(good, file('nobody', 'quorum none\n')), 2, /ends without a log/, 'a policy that names nobody');
  await mustFail(
    check(good, file('w1', policyText('quorum w1'))),
    3,
    /"cosignatures": the quorum is not met/,
    'no witness',
  );
  await mustFail(
    check(file('blank', receipt.replace(`\n\n${ORIGIN}`, `\n\n\n${ORIGIN}`))),
    3,
    /"format"/,
    'two blank lines',
  );
  await mustFail(check(file('junk', 'hello')), 3, /"format"/, 'no receipt');
  await mustFail(check(join(folder, 'missing')), 2, /ENOENT/, 'no file');
  await mustFail(['verify', join(folder, 'missing')], 1, /there is nothing at/, 'no place');
  mkdirSync(join(folder, 'empty'));
  await mustFail(['verify', join(folder, 'empty')], 1, /there is no log in/, 'no log');
  await mustFail(['verify', policy], 1, /is not a tar file/, 'no tar file');
  await mustFail(['verify', '--from', file('note', 'a\n\n\nb\n')], 2, /--from: .*note: signature 1 is not/, 'no note');
  await mustFail(['verify', 'http://127.0.0.1:9/'], 1, /cannot be read/, 'nobody there');
  await mustFail(['prove'], 2, /which event/, 'no event');

  const { create } = await import('tar');
  file('outside', 'x');
  const tar = join(folder, 'evil.tar');
  await create({ file: tar, cwd: join(folder, 'empty'), preservePaths: true }, ['../outside']);
  await mustFail(
    ['verify', tar],
    1,
    /nothing of it was unpacked: .*outside would be written outside/,
    'a tar with ../',
  );
});

t.test('every class of damage is in the documentation', async (t) => {
  const docs = readFileSync(new URL('../../../docs/audit.md', import.meta.url), 'utf8');
  for (const name of Object.keys(damageClasses)) t.ok(docs.includes(`\`${name}\``), name);
});
