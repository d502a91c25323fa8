import t from 'tap';
import { argumentsIn, Unable } from '../../bench/arguments.js';

const KNOWN = ['connect-storm', 'idle'];

t.test('names, numbers and flags', async (t) => {
  const said = argumentsIn(['idle', '--peer', 'somewhere', '--workers', '5', '--quick', '--minutes', '0.5'], KNOWN);
  t.same(said.names, ['idle']);
  t.equal(said.peer, 'somewhere');
  t.same(said.numbers, { workers: 5, minutes: 0.5 });
  t.equal(said.quick, true);
  t.equal(said.keep, false);
});

t.test('whoever asks for help is told what there is', async (t) => {
  for (const said of ['--help', '--list']) t.equal(argumentsIn([said], KNOWN).list, true);
});

t.test('nothing said is every scenario', async (t) => {
  t.same(argumentsIn([], KNOWN).names, []);
});

for (const [said, complaint] of [
  [['idel'], /no scenario idel: take some of connect-storm, idle/],
  [['--fast'], /Unknown option '--fast': the options are --peer,/],
  [['--peer'], /--peer.*: the options are/],
  [['--workers', '0'], /--workers 0 is out of range: say a whole number from 1 to 64/],
  [['--workers', '1.5'], /--workers 1\.5 is out of range/],
  [['--connections', '2000000'], /from 1 to 1,000,000/],
  [['--connections', 'many'], /--connections many is out of range/],
  [['--minutes', ''], /--minutes {2}is out of range/],
  [['--turns', '21'], /--turns 21/],
] as const)
  t.test(`refuses ${said.join(' ')}`, async (t) => {
    t.throws(() => argumentsIn([...said], KNOWN), complaint);
    t.throws(() => argumentsIn([...said], KNOWN), Unable);
  });
