import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import t from 'tap';
import { vkeyText } from '../../src/proof/note.js';
import { parsePolicy } from '../../src/proof/policy.js';
import { checkReceipt, enclosed, parseReceipt, receiptText } from '../../src/proof/receipt.js';
import { right } from '../support/either.js';
import { LOG_VKEY, policyText, witnessVkey } from '../support/log.js';
import { contentSecurityPolicy, type PageVerdict, page, verifier } from '../support/page.js';
import { CASES, GOOD, TRUSTING, verdictOf, WITNESSED } from '../support/receipts.js';

/* docs/check-receipt.html is a verifier of its own: it and src/proof have to agree on every file there could be. */

const ours = await verifier();
const said = ({ ok, step }: PageVerdict): string | undefined => (ok ? 'good' : step);

t.test('it has what it rests on', async (t) => t.equal(await ours.unfit(), undefined));

t.test('both verifiers say the same, and fail at the same step', async (t) => {
  for (const { what, receipt, policy, verdict } of CASES) {
    t.equal(verdictOf(receipt, policy), verdict, `src/proof: ${what}`);
    const answer = await ours.checkReceipt(receipt, policy);
    t.equal(said(answer), verdict, `the page: ${what}: ${answer.why}`);
  }
});

t.test('and learn the same from what is good', async (t) => {
  for (const { what, receipt, policy } of CASES.filter(({ verdict }) => verdict === 'good')) {
    const expected = right(checkReceipt(receipt, right(parsePolicy(policy))));
    const { passed, proven } = await ours.checkReceipt(receipt, policy);
    t.same(passed, ['policy', 'format', 'entry', 'log signature', 'cosignatures', 'inclusion']);
    const { origin, size, index, leaf, cosigned, since } = expected;
    t.match(proven, { origin, size, index }, what);
    t.equal(proven.since, since);
    t.same(
      [...(proven.cosigned ?? [])],
      cosigned.map(({ witness, at }) => [witness, at]),
    );
    t.ok(leaf.equals(proven.event ?? Buffer.from('nothing')));
  }
});

t.test('the key of the log alone is a policy that asks for nobody else', async (t) => {
  const key = vkeyText(LOG_VKEY);
  t.ok((await ours.checkReceipt(GOOD, key)).ok);
  t.ok((await ours.checkReceipt(GOOD, ` ${key}\n`)).ok);
  t.equal(said(await ours.checkReceipt(GOOD, vkeyText(witnessVkey(1)))), 'policy');
  t.equal(said(await ours.checkReceipt(GOOD, key.slice(0, -1))), 'policy');
});

t.test('nothing may follow the packed event', async (t) => {
  const parts = right(parseReceipt(GOOD));
  for (const more of [Buffer.of(0), Buffer.from('more'), enclosed(Buffer.from('another event'))]) {
    const receipt = receiptText({ ...parts, extra: Buffer.concat([parts.extra as Buffer, more]) });
    t.match(checkReceipt(receipt, right(parsePolicy(WITNESSED))), { left: { step: 'entry' } });
    t.equal(said(await ours.checkReceipt(receipt, WITNESSED)), 'entry');
  }
});

/** A line, a place in it, what is put there, and how much is taken away; often one letter for another. */
const edit = fc.tuple(
  fc.nat(),
  fc.nat(),
  fc.oneof(
    fc.tuple(fc.constantFrom(...'ABgwxyz0189+/'), fc.constant(1)),
    fc.tuple(fc.oneof(fc.string(), fc.constantFrom('\n', '\n\n', '=', '\r', '— ', 'é', 'AAAA')), fc.nat(3)),
  ),
);
const edited = (text: string, [line, at, [put, cut]]: readonly [number, number, readonly [string, number]]): string => {
  const lines = text.split(/(?<=\n)/);
  const number = line % lines.length;
  const old = lines[number] ?? '';
  const place = at % old.length;
  return lines.with(number, old.slice(0, place) + put + old.slice(place + cut)).join('');
};

const lines = GOOD.split('\n');
/** Its lines left out, repeated, in another order. */
const shuffled = fc
  .array(fc.tuple(fc.nat(lines.length - 1), fc.nat(lines.length - 1), fc.constantFrom('swap', 'repeat', 'leave out')), {
    maxLength: 3,
  })
  .map((moves) =>
    moves
      .reduce((now, [from, to, move]) => {
        const line = now[from] ?? '';
        if (move === 'leave out') return now.toSpliced(from, 1);
        return move === 'repeat' ? now.toSpliced(to, 0, line) : now.with(Math.min(to, now.length - 1), line);
      }, lines)
      .join('\n'),
  );

t.test('they agree on whatever becomes of a receipt', async (t) => {
  const damaged = fc.oneof(
    fc.array(edit, { minLength: 1, maxLength: 2 }).map((edits) => edits.reduce(edited, GOOD)),
    shuffled,
    fc.string({ unit: 'binary' }),
  );
  const verdicts = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(damaged, fc.constantFrom(TRUSTING, WITNESSED), async (receipt, policy) => {
      const theirs = verdictOf(receipt, policy);
      const page = await ours.checkReceipt(receipt, policy);
      verdicts.set(theirs, (verdicts.get(theirs) ?? 0) + 1);
      return said(page) === theirs;
    }),
    { numRuns: 2000 },
  );
  t.comment([...verdicts].map(([verdict, times]) => `${verdict}: ${times}`).join(', '));
  t.same([...verdicts.keys()].sort(), ['cosignatures', 'entry', 'format', 'good', 'inclusion', 'log signature']);
});

t.test('and on whatever becomes of a policy', async (t) => {
  const policy = policyText('group g 2 w1 w2 w3\nquorum g');
  const [log = '', w1 = '', w2 = ''] = policy.split('\n');
  const words = (...words: readonly string[]) =>
    fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }).map((chosen) => chosen.join(' '));
  const line = fc.oneof(
    fc.constantFrom(log, w1, w2, '', '# log', ` ${w1}\thttps://example.com`, 'quorum none', 'quorum g', 'quorum w1'),
    fc
      .tuple(words('all', 'any', '1', '2', '02', '-1'), words('w1', 'w2', 'w3', 'g'))
      .map((some) => `group g ${some.join(' ')}`),
    words('log', 'witness', 'group', 'quorum', '#', '\t', '\u00a0', '\u007f', '\u0085', 'none', 'h'),
  );
  const written = fc.oneof(
    fc.array(line, { maxLength: 3 }).map((lines) => [log, w1, w2, ...lines, 'quorum w2'].join('\n')),
    fc.array(line, { maxLength: 4 }).map((lines) => [log, w1, w2, ...lines].join('\n')),
    edit.map((one) => edited(policy, one)),
  );
  let readable = 0;
  await fc.assert(
    fc.asyncProperty(written, async (policy) => {
      const theirs = verdictOf(GOOD, policy);
      if (!isLeft(parsePolicy(policy))) readable++;
      return said(await ours.checkReceipt(GOOD, policy)) === theirs;
    }),
    { numRuns: 1000 },
  );
  t.ok(readable > 50, `${readable} of them could be read`);
});

t.test('the policy that the documentation shows is one', async (t) => {
  const [, shown = ''] = /```text\n(log [\s\S]*?)```/.exec(readFileSync('docs/proof.md', 'utf8')) ?? [];
  t.equal(verdictOf(GOOD, shown), 'good');
  t.ok((await ours.checkReceipt(GOOD, shown)).ok);
});

t.test('the page allows its own scripts and its own style, and nothing else', (t) => {
  const [, content] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  t.equal(content, contentSecurityPolicy);
  t.notMatch(page, /\b(?:src|srcset|action)=|@import|\burl\(|\bstyle="|\son\w+="/, 'it names nothing to fetch');
  t.notMatch(page, /innerHTML|insertAdjacent|document\.write|\beval\b|fetch\(|XMLHttp|WebSocket|localStorage/);
  t.end();
});
