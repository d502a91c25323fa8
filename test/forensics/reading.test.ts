import t, { type Test } from 'tap';
import type { Event } from '../../events/index.js';
import { type Batch, Store } from '../../src/ledger/store.js';
import { connect, type Frame, newKey, REMOTE } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { ALL } from '../support/people.js';
import { launch } from '../support/process.js';
import { type Scene, scene } from '../support/scene.js';
import { operatorOf, type Simulated, type SimWire, simulated } from '../support/simulated.js';

/* Whoever looks at the evidence is in it: who, what about, up to where; once for each question, and no more than needs to be known. */

const reads = (state: string): readonly Event[] => logOf(state).filter(({ type }) => type === 'log.read');

const auditor = async (at: Scene) => {
  const device = await at.paired('auditor', ['operator.audit']);
  const { wire } = await at.comes(device, { scopes: ['operator.audit'] });
  return { device, wire };
};

/** A device that was let in, one that waits, and one that shows a wrong credential. */
const given = async (t: Test) => {
  const at = await scene(t);
  const { device, wire } = await auditor(at);
  const phone = await at.paired('phone of Ada');
  const waiting = (await at.knock('tablet')).device;
  const [accepted] = logOf(at.state).filter(({ type, data }) => {
    return type === 'connection.accepted' && 'device' in data && data.device === phone.key.id;
  });
  const connection = accepted?.subject.slice('connection:'.length) ?? '';
  const [issued] = logOf(at.state).filter(({ type, subject }) => {
    return type === 'token.issued' && subject === `device:${phone.key.id}`;
  });
  const credential = issued?.type === 'token.issued' ? issued.data.credential : '';
  return { at, device, wire, phone, waiting, connection, credential };
};

t.test('every question leaves one event, with what it was about', async (t) => {
  const { at, device, wire, phone, waiting, connection, credential } = await given(t);
  const { id } = phone.key;
  const questions: readonly (readonly [method: string, params: object, about: object])[] = [
    ['audit.who', { id }, { device: id }],
    ['audit.who', { id: id.slice(0, 10) }, { device: id }],
    ['audit.who', { id: 'phone of Ada' }, { device: id }],
    ['audit.who', { id: waiting.requestId }, { device: waiting.key.id, request: waiting.requestId }],
    ['audit.why', { id: connection }, { connection }],
    ['audit.why', { id: '203.0.113.77' }, { address: true }],
    ['audit.why', { id: '2001:db8::77' }, { address: true }],
    ['audit.log', {}, {}],
    ['audit.log', { device: id, type: 'pairing', after: 3 }, { device: id, event: 'pairing', from: 3 }],
    ['audit.log', { address: '203.0.113.77' }, { address: true }],
    ['audit.log', { credential, connection }, { credential, connection }],
    ['audit.log', { request: waiting.requestId }, { request: waiting.requestId }],
    ['audit.devices', { at: 'now' }, {}],
    ['audit.status', { at: 'now' }, {}],
    ['audit.diff', { from: '1', to: 'now' }, {}],
    ['audit.credential', { credential }, { credential }],
    ['audit.credential', { device: 'phone of Ada' }, { device: id }],
    ['audit.rejudge', { rules: "{ refuse: [{ name: 'x', from: ['203.0.113.77'] }] }" }, {}],
    ['audit.stale', { notSeen: '90d' }, {}],
    ['audit.erasable', { subject: 'device:phone of Ada' }, { device: id }],
    ['audit.erasable', { subject: `connection:${connection}` }, { connection }],
    [
      'audit.erasable',
      { subject: `request:${waiting.requestId}` },
      { request: waiting.requestId, device: waiting.key.id },
    ],
    ['audit.erasable', { subject: 'address:203.0.113.77' }, { address: true }],
  ];
  for (const [method, params, about] of questions) {
    const before = reads(at.state).length;
    const { ok, payload, error } = await wire.call(method, params);
    const what = `${method} ${Object.keys(params).join(' ')}`;
    t.ok(ok, `${what} ${error?.message ?? ''}`);
    const [read, ...more] = reads(at.state).slice(before);
    t.same(more, [], `${what}: once`);
    t.same(read?.data, { question: method.slice('audit.'.length), upTo: payload.upTo, ...about }, what);
    t.match(read, {
      seq: payload.reading,
      subject: 'gateway',
      actor: { kind: 'connection', device: device.key.id, method: 'device-token', scopes: ['operator.audit'] },
    });
    t.notMatch(JSON.stringify(read), /203\.0\.113\.77|2001:db8|Ada/, `${what}: nothing personal`);
  }
  wire.end();
});

t.test(
  'what was typed into a filter by mistake is not recorded, be it a credential, an address or a name',
  async (t) => {
    const { at, wire, phone } = await given(t);
    for (const mistake of [TOKEN, phone.token ?? '', '203.0.113.77', 'phone of Ada'])
      for (const filter of ['device', 'credential', 'connection', 'request', 'actor']) {
        const before = reads(at.state).length;
        const { ok, error } = await wire.call('audit.log', { [filter]: mistake });
        const [read, ...more] = reads(at.state).slice(before);
        if (filter === 'actor') t.equal(ok, true);
        if (ok) t.same(Object.keys(read?.data ?? {}), ['question', 'upTo'], filter);
        else t.same([read, more], [undefined, []], 'nothing was read');
        t.notMatch(JSON.stringify(error ?? {}).replaceAll(/ \([^)]*\)/g, ''), mistake, 'nor is it said again');
      }
    wire.end();
  },
);

t.test('a question that is refused leaves no event: nothing was read', async (t) => {
  const { at, wire } = await given(t);
  const before = reads(at.state).length;
  for (const [method, params] of [
    ['audit.who', { id: TOKEN }],
    ['audit.credential', { credential: TOKEN }],
    ['audit.log', { type: 'no-such' }],
    ['audit.devices', { at: 'soon' }],
  ] as const)
    t.equal((await wire.call(method, params)).ok, false, method);
  t.equal(reads(at.state).length, before);
  wire.end();
});

t.test('reading on, page by page, is the same reading', async (t) => {
  const { at, wire } = await given(t);
  const first = await wire.call('audit.log', { type: 'pairing', after: 0, limit: 2 });
  const { reading } = first.payload;
  t.equal(reads(at.state).length, 1);
  const seen: number[] = first.payload.answer.events.map(({ seq }: Event) => seq);
  for (let page = first; page.payload.answer.more; ) {
    page = await wire.call('audit.log', { type: 'pairing', after: seen.at(-1), limit: 2, reading });
    t.equal(page.payload.reading, reading);
    seen.push(...page.payload.answer.events.map(({ seq }: Event) => seq));
  }
  t.same(
    seen,
    logOf(at.state)
      .filter(({ type }) => type.startsWith('pairing.'))
      .map(({ seq }) => seq),
  );
  t.ok(seen.length > 4, 'there was more than one page');
  t.equal(reads(at.state).length, 1, 'one event for all of it');

  const elsewhere = await at.comes(await at.paired('other', ['operator.audit']), { scopes: ['operator.audit'] });
  const rides: readonly (readonly [string, () => Promise<Frame>])[] = [
    ['another question', () => wire.call('audit.log', { type: 'device', after: 0, reading })],
    ['the question with one more filter', () => wire.call('audit.log', { type: 'pairing', since: '1', reading })],
    ['a reading that never was', () => wire.call('audit.log', { type: 'pairing', reading: 1 })],
    ['another session', () => elsewhere.wire.call('audit.log', { type: 'pairing', after: 0, limit: 2, reading })],
  ];
  for (const [who, ask] of rides) {
    const before = reads(at.state).length;
    const { ok, payload } = await ask();
    t.ok(ok, who);
    t.not(payload.reading, reading, `${who} does not ride on it`);
    t.equal(reads(at.state).length, before + 1, `${who} is on the record`);
  }
  wire.end();
  elsewhere.wire.end();
});

t.test('--follow prints what comes, as one reading', async (t) => {
  const at = await scene(t);
  const child = launch(at.state, ['audit', 'log', '--follow', '--type', 'pairing.requested', '--json'], {});
  const seen: string[] = [];
  let wake = (): void => {};
  child.stdout?.on('data', (data) => {
    seen.push(...String(data).trimEnd().split('\n'));
    wake();
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const wanted: string[] = [];
  for (let i = 1; i <= 3; i++) {
    const key = newKey();
    wanted.push(key.id);
    (await connect(at.port, key, { auth: { token: TOKEN } }, REMOTE)).wire.end();
    while (seen.length < i)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  t.same(
    seen.map((line) => JSON.parse(line).data.device),
    wanted,
  );
  child.kill('SIGINT');
  t.equal(await ended, 0);
  t.match(reads(at.state), [{ data: { question: 'log', event: 'pairing.requested' } }] as never);
  t.equal(reads(at.state).length, 1);
});

t.test('with the gateway down a question is answered, and recorded as of the host', async (t) => {
  const at = await scene(t);
  const phone = await at.paired('phone');
  await at.stop();
  const { code, out, err } = await at.type('audit', 'who', 'phone', '--json');
  t.equal(code, 0, err);
  t.match(err, 'The gateway is not running: working on its log.');
  t.match(JSON.parse(out), { answer: { device: { id: phone.key.id, state: 'paired' } }, reading: Number });
  const [read, ...more] = reads(at.state);
  t.same(more, []);
  t.match(read, {
    seq: JSON.parse(out).reading,
    actor: { kind: 'host' },
    origin: { osUser: String },
    data: { question: 'who', device: phone.key.id },
  });
});

/** A disk that says no when it is told to. */
class FaultyStore extends Store {
  static fails = false;
  override commit(batch: Batch): void {
    if (FaultyStore.fails) throw Object.assign(new Error('Input/output error'), { code: 5 });
    super.commit(batch);
  }
}

/** An answer comes from another process: it is waited for while the gateway goes on. */
const asked = async (gateway: Simulated, wire: SimWire, method: string, params: object): Promise<Frame> => {
  const id = `ask-${wire.frames.length}-${method}`;
  wire.say({ type: 'req', id, method, params });
  for (let left = 1000; left > 0; left--) {
    await gateway.settle();
    const answer = wire.frames.find((frame) => frame.id === id);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${method} was not answered`);
};

t.test('where nothing can be recorded any more evidence is read all the same, and it says so', async (t) => {
  const gateway = await simulated({}, { openStore: (path: string) => new FaultyStore({ path }), onBug: () => {} });
  t.teardown(async () => {
    gateway.parts.desk.stop();
    await gateway.stop();
  });
  const wire = await operatorOf(gateway, { scopes: [...ALL, 'operator.audit'] });
  t.match(await asked(gateway, wire, 'audit.status', { at: 'now' }), { ok: true, payload: { reading: Number } });
  t.match(await asked(gateway, wire, 'audit.checkpoint', {}), { ok: true });
  const position = gateway.parts.ledger.log.position;
  const said: string[] = [];
  gateway.parts.log.gateway.warn = (line: string) => said.push(line);
  FaultyStore.fails = true;
  for (const time of ['the first that notices', 'one after that']) {
    const found = await asked(gateway, wire, 'audit.log', { type: 'pairing' });
    t.match(found, { ok: true, payload: { reading: null, answer: { events: Array } } }, time);
  }
  t.equal(gateway.parts.ledger.health.writable, false);
  t.match(await asked(gateway, wire, 'audit.prove', { event: 1 }), { ok: true, payload: { receipt: String } });
  t.match(await asked(gateway, wire, 'audit.checkpoint', { tiles: true }), { ok: true });
  t.same(
    said,
    ['log', 'log', 'prove', 'tiles'].map(
      (question) => `the log is not writable: it is not on the record that ${question} was asked`,
    ),
  );
  t.match(await asked(gateway, wire, 'incident.contain', { device: 'f'.repeat(64) }), { ok: false });
  t.equal(gateway.parts.ledger.log.position, position);
});
