import t from 'tap';
import { type Fact, rangesOf, subjectOf } from '../../events/index.js';
import { guestOf, operatorOf, simulated, WITH_SECRET } from '../support/simulated.js';

/* What a running gateway keeps in memory to show people does not outlive the erasure of who they are. */

const NAME = 'Adas-Marker-Phone';
const APP = { client: { id: 'openclaw-ios', mode: 'ui', platform: 'ios 19.1', displayName: NAME } };

const erasure = (numbers: Iterable<number>): Fact => {
  const named = [...numbers];
  return {
    type: 'log.erased',
    subject: subjectOf.gateway,
    actor: { kind: 'host' },
    data: { of: 'address', events: named.length, numbers: rangesOf(named), reason: 'asked for' },
  };
};

t.test('lists are made anew, and of those who left nobody is shown any longer', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const { ledger, presence } = gateway.parts;
  const admin = await operatorOf(gateway);
  const here = await operatorOf(gateway, { client: { id: 'openclaw-macos', mode: 'ui', displayName: 'desk' } });
  const { wire, key } = await guestOf(gateway, admin, APP);
  wire.end(1000, '');
  await gateway.settle();
  const shown = async () => JSON.stringify([await admin.call('device.pair.list'), presence.json()]);
  t.match(await shown(), new RegExp(`${NAME}[^]*${NAME}`), 'in both');
  const about = [...ledger.log.query({ terms: [`device:${key.id}`] })].map(({ seq }) => seq);
  await gateway.record(erasure(about));
  const after = await shown();
  t.notMatch(after, new RegExp(NAME));
  t.match(after, new RegExp(key.id), 'the device is there, by its id');
  t.match(presence.json(), /desk/, 'and so is whoever is here');
  const back = await gateway.connect(key, { ...WITH_SECRET, ...APP });
  t.equal(back.answer.ok, true);
  t.match(presence.json(), new RegExp(NAME), 'who comes again says again who it is');
  here.end(1000, '');
});
