import t from 'tap';
import type { EventOf } from '../../events/index.js';
import { limits } from '../../src/limits.js';
import { History, types } from '../support/given.js';
import { ALL, approves, connects, handshake, laptop, paired, phone, RULES, withToken } from '../support/people.js';

const accepted = (history: History): EventOf<'connection.accepted'>['data'] =>
  history.ofType('connection.accepted').at(-1)?.data as EventOf<'connection.accepted'>['data'];

t.test('a device nobody knows is told to wait, and its ask is on the record', (t) => {
  const history = new History();
  const ask = handshake(laptop, { scopes: ['operator.read', 'operator.write'] });
  const { refusal, events } = connects(history, ask);
  t.match(refusal, { code: 'pairing-required', need: 'not-paired', requestId: ask.requestId });
  t.same(types(events), ['pairing.requested']);
  t.match(history.views.pending.get(laptop), {
    requestId: ask.requestId,
    scopes: ['operator.read', 'operator.write'],
    repair: false,
    seq: events[0]?.seq,
  });
  t.match(events[0]?.origin, { displayName: 'somebody', address: '203.0.113.7' });
  t.end();
});

t.test('approved, it comes in with what it asked for and a token that carries it', (t) => {
  const history = new History();
  const ask = handshake(laptop, { scopes: ['operator.write', 'operator.read'] });
  connects(history, ask);
  approves(history, ask.requestId);
  const { refusal, events } = connects(history, handshake(laptop, { scopes: ['operator.write', 'operator.read'] }));
  t.equal(refusal, undefined);
  t.same(types(events), ['connection.accepted']);
  const token = history.views.paired.get(laptop)?.tokens.operator;
  t.same(token?.scopes, ['operator.read', 'operator.write']);
  t.match(accepted(history), { scopes: ['operator.write', 'operator.read'], token: token?.token, method: 'token' });
  t.end();
});

t.test('who needs no person', async (t) => {
  const cases = [
    { name: 'a local program with the secret', claims: { local: true }, comes: true },
    { name: 'a local node with the secret', claims: { local: true, role: 'node' as const, scopes: [] }, comes: true },
    { name: 'a local browser', claims: { local: true, browser: true }, comes: false },
    {
      name: 'a local program when the rule is off',
      claims: { local: true, rules: { ...RULES, localClient: false } },
      comes: false,
    },
    { name: 'a remote program with the secret', claims: {}, comes: false },
  ];
  for (const { name, claims, comes } of cases) {
    const history = new History();
    const { refusal, events } = connects(history, handshake(laptop, claims));
    t.equal(refusal === undefined, comes, name);
    if (comes) {
      t.same(
        types(events),
        ['pairing.requested', 'pairing.approved', 'token.issued', 'connection.accepted'],
        `${name}: each step is an event`,
      );
      t.match(events[1]?.data, { rule: 'local-client' }, `${name}: the rule is named`);
      t.equal(history.views.pending.size(), 0, `${name}: nothing waits`);
      t.same(
        events.map(({ cause }) => cause),
        [undefined, 1, 2, 1],
        `${name}: each names what led to it`,
      );
    }
  }
});

t.test('a local backend with the secret needs no pairing at all, unless that rule is off', (t) => {
  const backend = {
    local: true,
    client: { id: 'gateway-client', mode: 'backend', platform: 'linux', version: '1' },
    scopes: ['operator.read'],
  };
  const history = new History();
  t.same(types(connects(history, handshake(laptop, backend)).events), ['connection.accepted']);
  t.match(accepted(history), { rule: 'local-backend', scopes: ['operator.read'], token: undefined });
  t.equal(history.views.paired.get(laptop), undefined);
  const off = { ...RULES, localBackend: false, localClient: false };
  t.match(connects(history, handshake(laptop, { ...backend, rules: off })).refusal, { code: 'pairing-required' });
  t.match(connects(history, handshake(phone, { ...backend, local: false })).refusal, { code: 'pairing-required' });
  t.match(connects(history, handshake(phone, { ...backend, browser: true })).refusal, { code: 'pairing-required' });
  t.end();
});

t.test('without a key, scopes that were only declared are not granted', async (t) => {
  const cases = [
    { name: 'remote', claims: {}, scopes: [] },
    { name: 'a local CLI', claims: { local: true }, scopes: ALL },
    {
      name: 'a local app',
      claims: { local: true, client: { id: 'openclaw-macos', mode: 'ui', platform: 'macos', version: '1' } },
      scopes: [],
    },
    { name: 'a local browser that says cli', claims: { local: true, browser: true }, scopes: [] },
    {
      name: 'remote, where the configuration lets it',
      claims: { rules: { ...RULES, scopesWithoutDevice: true } },
      scopes: ALL,
    },
    { name: 'host proof', claims: { shown: { method: 'host-proof' as const } }, scopes: ALL },
  ];
  for (const { name, claims, scopes } of cases) {
    const history = new History();
    connects(history, handshake(undefined, { scopes: ALL, ...claims }));
    t.same(accepted(history).scopes, scopes, name);
    t.same(accepted(history).asked, ALL, `${name}: what was asked is kept`);
  }
});

t.test('the same ask again is the same request', async (t) => {
  const history = new History();
  const first = handshake(laptop, { scopes: ['operator.read', 'operator.write'] });
  connects(history, first);

  t.test('at once: nothing to record', (t) => {
    const again = connects(history, handshake(laptop, { scopes: ['operator.read'] }));
    t.match(again.refusal, { requestId: first.requestId });
    t.same(again.events, []);
    t.end();
  });
  t.test('after a minute: refreshed, and so it lives on', (t) => {
    history.pass(limits.pairing.refreshMs);
    const again = connects(history, handshake(laptop, { scopes: ['operator.read'] }));
    t.match(again.refusal, { requestId: first.requestId });
    t.same(types(again.events), ['pairing.refreshed']);
    history.pass(limits.pairing.pendingMs - 1);
    t.match(connects(history, handshake(laptop)).refusal, { requestId: first.requestId });
    t.end();
  });
  t.test('after five minutes of silence it is another', (t) => {
    history.pass(limits.pairing.pendingMs);
    const late = handshake(laptop);
    t.match(connects(history, late).refusal, { requestId: late.requestId });
    t.end();
  });
});

t.test('a larger ask supersedes: what was shown is never changed under its id', (t) => {
  const history = new History();
  const small = handshake(laptop, { scopes: ['operator.read'] });
  const large = handshake(laptop, { scopes: ['operator.admin'] });
  connects(history, small);
  const { refusal, events } = connects(history, large);
  t.match(refusal, { requestId: large.requestId });
  t.same(types(events), ['pairing.superseded', 'pairing.requested']);
  t.same(history.views.pending.get(laptop)?.scopes, ['operator.read', 'operator.admin']);
  const old = approves(history, small.requestId).refusal;
  t.match(old, {
    code: 'request-superseded',
    details: { requestId: large.requestId, added: { scopes: ['operator.admin'] } },
  });
  t.match(old?.message, /superseded by .* also asks for operator.admin/);
  t.equal(history.views.paired.get(laptop), undefined, 'the yes to the small one grants nothing');
  t.end();
});

t.test('another platform in the claim is another request too', (t) => {
  const history = new History();
  const first = handshake(laptop);
  connects(history, first);
  const other = handshake(laptop, { client: { ...first.client, platform: 'darwin' } });
  t.match(connects(history, other).refusal, { requestId: other.requestId });
  t.end();
});

t.test('a paired device that asks for more comes in with what it has of it', (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  const ask = handshake(laptop, { scopes: ['operator.admin'] });
  const { refusal, events } = connects(history, ask);
  t.equal(refusal, undefined);
  t.same(types(events), ['pairing.requested', 'connection.accepted']);
  t.match(accepted(history), { asked: ['operator.admin'], scopes: ['operator.read'], upgrade: ask.requestId });
  t.match(history.views.pending.get(laptop), {
    requestId: ask.requestId,
    scopes: ['operator.admin'],
    repair: true,
    need: 'scope-upgrade',
  });

  history.pass(limits.pairing.pendingMs * 2);
  t.equal(approves(history, ask.requestId).refusal, undefined, 'its request waits as long as the session is open');
  t.same(history.views.paired.get(laptop)?.scopes, ['operator.read', 'operator.admin']);
  t.end();
});

t.test('nothing in common: told to wait for the upgrade', (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  const { refusal } = connects(history, handshake(laptop, { scopes: ['operator.approvals'] }));
  t.match(refusal, { code: 'pairing-required', need: 'scope-upgrade', approved: { scopes: ['operator.read'] } });
  t.end();
});

t.test('a role that was never granted is refused, even locally', (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  const { refusal } = connects(history, handshake(laptop, { role: 'node', scopes: [], local: true }));
  t.match(refusal, { code: 'pairing-required', need: 'role-upgrade' });
  t.end();
});

t.test('what the device says it runs', async (t) => {
  const mac = { id: 'openclaw-macos', mode: 'ui', platform: 'macos 15.1', deviceFamily: 'Mac', version: '1' };
  const cases = [
    { name: 'the same', client: mac, comes: true, recorded: false },
    { name: 'a point update', client: { ...mac, platform: 'macos 15.2' }, comes: true, recorded: true },
    { name: 'other case', client: { ...mac, platform: 'MacOS 15.1' }, comes: true, recorded: false },
    { name: 'another platform', client: { ...mac, platform: 'linux' }, comes: false, recorded: false },
    { name: 'another family', client: { ...mac, deviceFamily: 'iPhone' }, comes: false, recorded: false },
    { name: 'a family no longer claimed', client: { ...mac, deviceFamily: undefined }, comes: false, recorded: false },
  ];
  for (const { name, client, comes, recorded } of cases) {
    const history = new History();
    const ask = handshake(laptop, { client: mac });
    connects(history, ask);
    approves(history, ask.requestId);
    const { refusal, events } = connects(history, handshake(laptop, { client, local: true }));
    t.equal(refusal === undefined, comes, name);
    t.equal(types(events).includes('device.metadata-changed'), recorded, `${name}: on the record`);
    if (!comes) {
      t.match(refusal, { need: 'metadata-upgrade' }, `${name}: why`);
      t.match(
        history.views.pending.get(laptop),
        { repair: true, pinned: { platform: 'macos 15.1', deviceFamily: 'Mac' } },
        `${name}: both shown`,
      );
    } else if (recorded) {
      t.equal(history.views.paired.get(laptop)?.client.platform, client.platform, `${name}: the new version is pinned`);
    }
  }
});

t.test('device tokens', async (t) => {
  t.test('a live one lets in, never with more than it carries', (t) => {
    const history = new History();
    paired(history, laptop, ['operator.read', 'operator.write']);
    t.equal(connects(history, withToken(history, laptop, { scopes: ['operator.write'] })).refusal, undefined);
    t.same(accepted(history).scopes, ['operator.write']);
    connects(history, withToken(history, laptop, { scopes: ['operator.admin'], local: true }));
    t.same(
      accepted(history).scopes,
      ['operator.read', 'operator.write'],
      'no silent upgrade by a device token, not even locally',
    );
    t.end();
  });
  t.test('one that is no longer there does not', (t) => {
    const history = new History();
    paired(history, laptop, ['operator.read']);
    t.match(connects(history, withToken(history, laptop, {}, 'another')).refusal, {
      code: 'unauthorized',
      reason: 'device_token_mismatch',
    });
    t.match(
      connects(history, withToken(history, phone)).refusal,
      { code: 'unauthorized' },
      'an unpaired device has none',
    );
    t.match(
      connects(history, withToken(history, laptop, { role: 'node' })).refusal,
      { code: 'unauthorized' },
      'nor a role it never had',
    );
    t.end();
  });
  t.test('a replaced one works until its successor is used', (t) => {
    const history = new History();
    paired(history, laptop, ['operator.read']);
    const old = history.views.paired.get(laptop)?.tokens.operator?.token;
    const wider = handshake(laptop, { scopes: ['operator.read', 'operator.approvals'] });
    connects(history, wider);
    approves(history, wider.requestId);
    const current = history.views.paired.get(laptop)?.tokens.operator?.token;
    t.not(current, old);
    t.equal(connects(history, withToken(history, laptop, {}, old)).refusal, undefined, 'the old one, in its grace');
    t.equal(accepted(history).token, current, 'and is told the new one');
    t.same(
      types(connects(history, withToken(history, laptop)).events),
      ['connection.accepted', 'token.retired'],
      'the new one, used',
    );
    t.match(
      connects(history, withToken(history, laptop, {}, old)).refusal,
      { code: 'unauthorized' },
      'the old one is dead',
    );
    t.end();
  });
  t.test('or until its time is up', (t) => {
    const history = new History();
    paired(history, laptop, ['operator.read']);
    const old = history.views.paired.get(laptop)?.tokens.operator?.token;
    const again = handshake(laptop, { scopes: ['operator.approvals'] });
    connects(history, again);
    approves(history, again.requestId);
    history.pass(limits.pairing.tokenGraceMs);
    t.match(connects(history, withToken(history, laptop, {}, old)).refusal, { code: 'unauthorized' });
    t.end();
  });
});

t.test('a full list refuses the new and evicts nobody', (t) => {
  const history = new History();
  const first = handshake(laptop);
  connects(history, first);
  const late = handshake(phone);
  const { refusal, events } = connects(history, late, limits.pairing.pending);
  t.match(refusal, { code: 'pairing-required', requestId: undefined });
  t.same(events, []);
  t.equal(history.views.pending.get(laptop)?.requestId, first.requestId);
  t.end();
});
