import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Checkpoints } from '../../src/ledger/checkpoints.js';
import { limits } from '../../src/limits.js';
import { openCheckpoint } from '../../src/proof/checkpoint.js';
import { cosignedAt } from '../../src/proof/cosignature.js';
import { judge } from '../../src/proof/judgement.js';
import { keyType, noteText, parseVkey, signNote, vkeyOf } from '../../src/proof/note.js';
import { parsePolicy, policyText } from '../../src/proof/policy.js';
import { checkReceipt } from '../../src/proof/receipt.js';
import { Witnesses } from '../../src/services/witnesses.js';
import { right } from '../support/either.js';
import { running } from '../support/gateway.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { LOG_KEY, LOG_VKEY, ORIGIN } from '../support/log.js';
import { askedOf } from '../support/outsider.js';
import { keyOf } from '../support/tree.js';
import { type WitnessServer, witnessServer } from '../support/witness.js';
import { TestClock } from '../support/world.js';

/* Others who cosign: what they are asked, and what becomes of what they answer, which may be anything. */

const arranged = async (t: Test, servers: readonly WitnessServer[]) => {
  const clock = new TestClock();
  const ledger = await openLedger(folder(t));
  const signer = () => ({ vkey: LOG_VKEY, sign: (text: string) => signNote(text, ORIGIN, LOG_KEY) });
  const checkpoints = await Checkpoints.begin({ ledger, newOrigin: () => ORIGIN, signer, mark: undefined });
  const said: string[] = [];
  const witnesses = new Witnesses({
    clock,
    log: ledger.log,
    checkpoints,
    witnesses: servers.map(({ vkey, url }) => ({ vkey, url })),
    failed: (witness, why) => said.push(`${witness}: ${why}`),
    contradicted: (witness, why) => said.push(`LOUD ${witness}: ${why}`),
  });
  const stop = witnesses.begin();
  t.teardown(async () => {
    stop();
    await ledger.close();
  });
  const grow = async (events: number): Promise<void> => {
    await write(ledger, ...Array.from({ length: events }, (_, n) => ticked(n)));
    right(await checkpoints.now());
  };
  /** Time passes until this is so: in large steps, if that is wanted, while nothing is on its way over the network. */
  const until = async (reached: () => boolean, stepMs: number = limits.witnesses.lookMs): Promise<void> => {
    while (!reached()) {
      clock.pass(servers.some(({ open }) => open > 0) ? limits.witnesses.lookMs : stepMs);
      await sleep(stepMs > 1000 ? 10 : 2);
    }
  };
  const cosignedBy = ({ vkey }: WitnessServer): boolean =>
    checkpoints.latest !== undefined && cosignedAt(checkpoints.latest.note, vkey) !== undefined;
  return { clock, ledger, checkpoints, witnesses, said, grow, until, cosignedBy };
};

const one = (t: Test): Promise<WitnessServer> => witnessServer(t, () => LOG_VKEY);

t.test('each new checkpoint is cosigned, from where the witness was left', async (t) => {
  const witness = await one(t);
  const { grow, until, cosignedBy, checkpoints, ledger, said } = await arranged(t, [witness]);
  await grow(3);
  await until(() => cosignedBy(witness));
  await grow(300);
  await until(() => cosignedBy(witness));
  await until(() => cosignedBy(witness));
  t.same(witness.asked, [
    { old: 0, size: 3, status: 200 },
    { old: 3, size: 303, status: 200 },
  ]);
  t.equal(checkpoints.latest?.note.signatures.length, 2);
  t.match(ledger.checkpoint, /— witness\.example\/w1 /, 'and it is kept');
  t.same(said, []);
});

t.test('one that knows the log already says from where, and is asked once more', async (t) => {
  const witness = await one(t);
  const { grow, until, cosignedBy, ledger } = await arranged(t, [witness]);
  await grow(7);
  witness.seen = { size: 4, root: ledger.rootAt(4) };
  await until(() => cosignedBy(witness));
  t.same(witness.asked, [
    { old: 0, size: 7, status: 409 },
    { old: 4, size: 7, status: 200 },
  ]);
});

t.test('several of them, each by itself', async (t) => {
  const servers = await Promise.all([1, 2, 3].map((n) => witnessServer(t, () => LOG_VKEY, n)));
  const { grow, until, cosignedBy, checkpoints } = await arranged(t, servers);
  const [first, second, dead] = servers as [WitnessServer, WitnessServer, WitnessServer];
  dead.misbehave = () => {};
  await grow(9);
  await until(() => cosignedBy(first) && cosignedBy(second));
  const policy = right(
    parsePolicy(
      policyText(
        LOG_VKEY,
        servers.map(({ vkey }) => vkey),
      ),
    ),
  );
  if (checkpoints.latest === undefined) throw new Error('nothing signed');
  t.match(judge(policy, checkpoints.latest), {
    right: { cosigned: [{ witness: first.vkey.name }, { witness: second.vkey.name }] },
  });
});

t.test('the policy of a log asks for more than half of its witnesses', (t) => {
  const vkeys = [1, 2, 3, 4].map((n) => vkeyOf(`w${n}`, keyType.cosignature, keyOf(100 + n)));
  const quorum = (count: number) => right(parsePolicy(policyText(LOG_VKEY, vkeys.slice(0, count)))).quorum;
  t.match(quorum(0), { kind: 'none' });
  t.match(quorum(1), { kind: 'witness', name: 'w1' });
  t.match(quorum(2), { kind: 'group', needed: 2 });
  t.match(quorum(3), { kind: 'group', needed: 2 });
  t.match(quorum(4), { kind: 'group', needed: 3 });
  t.end();
});

t.test('another past of this log is said loudly, and once', async (t) => {
  const other = keyOf(9).export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  for (const [name, size, why] of [
    ['more than we have', 900, /it has seen 900 events of this log, which has 5/],
    ['another tree of this size', 5, /is not the beginning of this log/],
    ['another tree before', 3, /what it has seen, 3 events, is not the beginning of this log/],
  ] as const)
    await t.test(name, async (t) => {
      const witness = await one(t);
      const { grow, until, said, clock } = await arranged(t, [witness]);
      witness.seen = { size, root: other };
      await grow(5);
      await until(() => said.length > 0);
      t.match(said[0], /^LOUD /);
      t.match(said[0], why);
      const { length } = witness.asked;
      await until(() => witness.asked.length > length, limits.witnesses.longestPauseMs);
      clock.pass(1);
      t.equal(said.length, 1);
    });
});

t.test('whatever else it answers is a fault of its own: told once, and asked again later', async (t) => {
  const fine = (
    response: Parameters<NonNullable<WitnessServer['misbehave']>>[0],
    status: number,
    body: string | Buffer,
  ) => void response.writeHead(status).end(body);
  const table: readonly (readonly [string, NonNullable<WitnessServer['misbehave']>, RegExp])[] = [
    ['500', (response) => fine(response, 500, 'oh'), /the status 500/],
    ['403', (response) => fine(response, 403, ''), /not the key/],
    ['404', (response) => fine(response, 404, ''), /does not know the log/],
    ['422 to the first request', (response) => fine(response, 422, ''), /does not cosign|proof/],
    ['garbage', (response) => fine(response, 200, Buffer.from([0xff, 0, 1, 2])), /cannot be read/],
    ['nothing', (response) => fine(response, 200, ''), /cannot be read/],
    ['a page', (response) => fine(response, 200, '<html>'), /cannot be read/],
    ['409 and the size it was asked from', (response) => fine(response, 409, '0\n'), /0 events/],
    ['409 for ever another size', (response) => fine(response, 409, '2\n'), /2 events/],
    ['409 and garbage', (response) => fine(response, 409, '-1'), /./],
    ['a redirect', (response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(), /status 307/],
    ['ten megabytes', (response) => fine(response, 200, Buffer.alloc(10_000_000, 'x')), /more than 65536 bytes/],
    ['the end of the line', (response) => void response.destroy(), /./],
    ['silence', () => {}, /no answer in 10 seconds/],
    ['silence after its headers', (response) => void response.writeHead(200).write('— '), /no answer in 10 seconds/],
  ];
  for (const [name, misbehave, why] of table)
    await t.test(name, async (t) => {
      const witness = await one(t);
      const { grow, until, said, cosignedBy, ledger } = await arranged(t, [witness]);
      witness.misbehave = misbehave;
      await grow(5);
      await until(() => said.length > 0);
      t.match(said[0], why);
      t.notMatch(said[0], /LOUD/);
      const { length } = witness.asked;
      await until(() => witness.asked.length > length + 1, limits.witnesses.longestPauseMs);
      t.equal(said.length, 1);
      t.same(ledger.health, { writable: true });
      witness.misbehave = undefined;
      await until(() => cosignedBy(witness), limits.witnesses.longestPauseMs);
    });
});

t.test('pauses double up to some minutes, and one request is on its way at a time', async (t) => {
  const witness = await one(t);
  const { grow, until, clock } = await arranged(t, [witness]);
  const at: number[] = [];
  let open = 0;
  witness.misbehave = (response) => {
    at.push(clock.monotonic());
    if (++open > 1) t.fail('two at a time');
    setImmediate(() => {
      open--;
      response.writeHead(500).end();
    });
  };
  await grow(5);
  await until(() => at.length === 11, 1000);
  const pauses = at.slice(1).map((time, n) => time - (at[n] as number));
  t.ok(
    pauses.every((pause, n) => pause >= Math.min(limits.witnesses.longestPauseMs, limits.witnesses.pauseMs * 2 ** n)),
  );
});

t.test('where it is slower than the log the newest checkpoint is what it is asked next', async (t) => {
  const witness = await one(t);
  const { grow, until, cosignedBy, clock } = await arranged(t, [witness]);
  let release = (): void => {};
  witness.misbehave = (response) => {
    release = () => void response.writeHead(503).end();
  };
  await grow(2);
  await until(() => witness.asked.length === 1);
  for (let n = 0; n < 5; n++) {
    await grow(1);
    clock.pass(limits.witnesses.lookMs);
  }
  witness.misbehave = undefined;
  release();
  await until(() => cosignedBy(witness), 1000);
  t.same(witness.asked.slice(1), [{ old: 0, size: 7, status: 200 }]);
});

t.test(
  'a checkpoint that is handed out waits for cosignatures a little, and not for those that do not come',
  async (t) => {
    const servers = await Promise.all([1, 2].map((n) => witnessServer(t, () => LOG_VKEY, n)));
    const [, second] = servers as [WitnessServer, WitnessServer];
    const { grow, until, witnesses, checkpoints, clock, said } = await arranged(t, servers);
    const handedOut = async (): Promise<string> => {
      const signed = checkpoints.latest === undefined ? '' : noteText(checkpoints.latest.note);
      let got: string | undefined;
      void witnesses.cosigned(signed).then((text) => {
        got = text;
      });
      await until(() => got !== undefined);
      return got ?? '';
    };
    await grow(3);
    t.equal(right(openCheckpoint(await handedOut())).note.signatures.length, 3);
    second.misbehave = () => {};
    await grow(3);
    const begun = clock.monotonic();
    t.ok(right(openCheckpoint(await handedOut())).note.signatures.length < 3, 'one is not more than half of two');
    t.ok(clock.monotonic() - begun >= limits.witnesses.waitMs);
    await until(() => said.length > 0);
    const later = clock.monotonic();
    await handedOut();
    t.ok(clock.monotonic() - later <= limits.witnesses.lookMs, 'it is known that it does not answer');
  },
);

t.test(
  'a gateway: the checkpoint and the receipt that it hands out meet the policy that comes with them',
  async (t) => {
    let key = LOG_VKEY;
    const witness = await witnessServer(t, () => key);
    const { state, clock } = await running(t, { config: { audit: { witnesses: [witness.setting] } } });
    key = right(parseVkey((await askedOf(state)).key));
    while (witness.seen.size === 0) {
      clock.skip(1000);
      await sleep(20);
    }
    const { policy, checkpoint } = await askedOf(state);
    const trusted = right(parsePolicy(policy));
    t.match(right(judge(trusted, right(openCheckpoint(checkpoint)))), { cosigned: [{ witness: witness.vkey.name }] });
    const { receipt } = await askedOf(state, 'audit.prove', { event: 1 });
    t.match(right(checkReceipt(receipt, trusted)), { index: 0, cosigned: [{ witness: witness.vkey.name }] });
  },
);
