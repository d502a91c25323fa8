import t from 'tap';
import { sectionOf } from '../../bench/report/markdown.js';
import { linesOf, type Result, verdictsOf } from '../../bench/report/result.js';

const result = (targets: Result['targets'] = []): Result => ({
  scenario: 'connect-storm',
  says: 'connects a second',
  quick: false,
  targets,
  measurements: [100, 300, 200].flatMap((perSecond, turn) => [
    { server: 'gateway', turn, row: { what: '1 paired', figures: { perSecond, p99: 2 }, note: 'timeout 1' } },
    { server: 'limit', turn, row: { what: '1 paired', figures: { perSecond: perSecond * 2, cpuMicros: 5 } } },
  ]),
});

t.test('a line for each server, with the medians of its turns', async (t) => {
  const [ours, limit] = linesOf(result());
  t.same(ours, { what: '1 paired', server: 'gateway', figures: { perSecond: 200, p99: 2 }, note: 'timeout 1' });
  t.equal(limit?.figures.perSecond, 400);
});

t.test('a table with what there is, a dash for what cannot be had, and ratios', async (t) => {
  const text = sectionOf(result());
  t.match(text, '| what | server | /s | p99 ms | CPU µs each |  |');
  t.match(text, '| 1 paired | gateway | 200 | 2 | - | timeout 1 |');
  t.match(text, '| 1 paired | limit | 400 | - | 5 |  |');
  t.match(text, '- 1 paired, gateway beside limit (above 1: better): /s 0.5 ×');
});

t.test('targets: of a number, and of another server', async (t) => {
  const verdicts = verdictsOf(
    result([
      { what: '1 paired', figure: 'p99', most: 2 },
      { what: '1 paired', figure: 'p99', most: 1 },
      { what: '1 paired', figure: 'perSecond', of: { server: 'limit', times: 0.5 } },
      { what: '1 paired', figure: 'perSecond', of: { server: 'limit', times: 0.6 } },
      { what: '1 paired', figure: 'seconds', most: 9 },
    ]),
  );
  t.same(
    verdicts.map(({ reached }) => reached),
    [true, false, true, false, false],
    'a figure that is not there reaches nothing',
  );
});

t.test('a target of what was not measured, or against who was not there, has no verdict', async (t) => {
  t.same(
    verdictsOf(
      result([
        { what: '9 paired', figure: 'p99', most: 2 },
        { what: '1 paired', figure: 'perSecond', of: { server: 'ws', times: 1 } },
      ]),
    ),
    [],
  );
});
