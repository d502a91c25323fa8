import fc from 'fast-check';
import t from 'tap';
import type { Event, EventOf } from '../../events/index.js';
import { viewNames } from '../../projections/index.js';
import type { Connect, Shown } from '../../src/decisions/connect.js';
import { deviceIn, deviceOfRequest } from '../../src/decisions/device.js';
import type { Principal } from '../../src/decisions/principal.js';
import { reject } from '../../src/decisions/reject.js';
import { remove } from '../../src/decisions/remove.js';
import { revoke } from '../../src/decisions/revoke.js';
import { rotate } from '../../src/decisions/rotate.js';
import { coversAll } from '../../src/decisions/scopes.js';
import { sweep } from '../../src/decisions/sweep.js';
import { Draft, emptyViews } from '../../src/ledger/draft.js';
import { History } from '../support/given.js';
import { approves, connects, fresh, handshake, RULES } from '../support/people.js';

/* Any sequence of commands from anybody, and what must hold after each of them (design §6). */

const SCOPES = [
  'operator.admin',
  'operator.read',
  'operator.write',
  'operator.approvals',
  'operator.pairing',
  'custom',
];
const DEVICES = ['1', '2', '3'].map((d) => d.repeat(64));
const PLATFORMS = ['linux', 'macos 15.1', 'macos 15.2'];

const device = fc.constantFrom(...DEVICES);
const role = fc.constantFrom('operator' as const, 'node' as const);
const scopes = fc.subarray(SCOPES);
const nth = fc.nat(200);

const by = fc.record({
  device: fc.option(device, { nil: undefined }),
  scopes,
  method: fc.constantFrom('token' as const, 'device-token' as const, 'host-proof' as const),
});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('connect' as const),
      device: fc.option(device, { nil: undefined, freq: 8 }),
      role,
      scopes,
      platform: fc.constantFrom(...PLATFORMS),
      local: fc.boolean(),
      browser: fc.boolean(),
      token: fc.option(nth, { nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('approve' as const), nth, by }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reject' as const), nth, by }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), device, by }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('rotate' as const),
      device,
      role,
      scopes: fc.option(scopes, { nil: undefined }),
      by,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), device, role, by }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(700_000), swept: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const principal = (p: {
  device: string | undefined;
  scopes: readonly string[];
  method: 'token' | 'device-token' | 'host-proof';
}): Principal => ({
  kind: 'connection',
  connection: 'c',
  role: 'operator',
  ...p,
});

const all = <T extends Event['type']>(events: readonly Event[], type: T): readonly EventOf<T>[] =>
  events.filter(
    (event): event is Extract<Event, { type: T }> => event.type === type,
  ) as unknown as readonly EventOf<T>[];

/** The id of the nth request ever filed, live or not. */
const requestId = (history: History, n: number): string => {
  const asked = all(history.events, 'pairing.requested');
  return asked[n % Math.max(1, asked.length)]?.data.requestId ?? 'never';
};

/** The nth token ever issued, dead or alive, whoever it belongs to. */
const shownToken = (history: History, n: number): Shown | undefined => {
  const tokens = [...all(history.events, 'token.issued'), ...all(history.events, 'token.rotated')];
  const token = tokens[n % Math.max(1, tokens.length)];
  return (
    token && {
      method: 'device-token',
      credential: token.data.credential,
      token: token.data.token,
      otherwise: 'device_token_mismatch',
    }
  );
};

const play = (history: History, s: Step): Connect | undefined => {
  switch (s.do) {
    case 'connect': {
      const shown = s.token === undefined ? undefined : shownToken(history, s.token);
      const command = handshake(s.device, {
        role: s.role,
        scopes: s.scopes,
        local: s.local,
        browser: s.browser,
        client: { id: 'cli', mode: 'cli', platform: s.platform, version: '1' },
        ...(shown === undefined || s.device === undefined ? {} : { shown }),
      });
      connects(history, command);
      return command;
    }
    case 'approve':
      approves(history, requestId(history, s.nth), principal(s.by));
      return undefined;
    case 'reject': {
      const id = requestId(history, s.nth);
      history.when((v, m) => reject(deviceOfRequest(v, id, m), { requestId: id, by: principal(s.by) }));
      return undefined;
    }
    case 'remove':
      history.when((v, m) => remove(deviceIn(v, s.device, m), { by: principal(s.by) }));
      return undefined;
    case 'rotate':
      history.when((v, m) =>
        rotate(deviceIn(v, s.device, m), { role: s.role, scopes: s.scopes, by: principal(s.by), fresh: fresh() }, m),
      );
      return undefined;
    case 'revoke':
      history.when((v, m) => revoke(deviceIn(v, s.device, m), { role: s.role, by: principal(s.by) }));
      return undefined;
    case 'wait':
      history.pass(s.ms);
      if (s.swept) history.happened(...sweep(history.views, history.moment, 1000));
      return undefined;
  }
};

const fail = (rule: string, event: Event): never => {
  throw new Error(`${rule}: ${JSON.stringify(event)}`);
};

/** What every new event must satisfy, given the history before it. */
const checkEvent = (
  before: readonly Event[],
  views: History['views'],
  event: Event,
  command: Connect | undefined,
): void => {
  switch (event.type) {
    case 'connection.accepted': {
      const { data } = event;
      const row = data.device === undefined ? undefined : views.paired.get(data.device);
      if (!coversAll(data.role, data.asked, data.scopes)) fail('more than was asked', event);
      if (data.device !== undefined && row === undefined) fail('an unpaired device is in', event);
      if (row !== undefined && !coversAll(data.role, row.scopes, data.scopes)) fail('more than was granted', event);
      if (row !== undefined && !row.roles.includes(data.role)) fail('a role that was never granted', event);
      if (data.method === 'device-token') {
        const carried = row?.tokens[data.role]?.scopes ?? [];
        if (!coversAll(data.role, carried, data.scopes)) fail('more than the token carries', event);
        if (dead(before, data.credential, event.at)) fail('a dead token opened the door', event);
      }
      if (data.device === undefined && data.scopes.length > 0 && !(command?.local && !command.browser))
        fail('scopes without a key', event);
      return;
    }
    case 'pairing.approved': {
      const request = all(before, 'pairing.requested').find((r) => r.data.requestId === event.data.requestId);
      if (request === undefined) return fail('an approval of nothing', event);
      if (settled(before, event.data.requestId)) fail('decided twice', event);
      if (!request.data.scopes.every((scope) => event.data.scopes.includes(scope))) fail('not what was asked', event);
      if (event.actor.kind === 'connection') {
        const held = event.actor.scopes ?? [];
        if (!held.includes('operator.admin') && !coversAll('operator', held, request.data.scopes))
          fail('granted what it does not hold', event);
        if (
          event.actor.method === 'device-token' &&
          !held.includes('operator.admin') &&
          event.actor.device !== event.data.device
        )
          fail("another's device", event);
      } else if (
        !request.data.silent ||
        !command?.local ||
        command.browser ||
        command.shown.method === 'device-token' ||
        !RULES.localClient
      ) {
        fail('approved by rule without being local', event);
      }
      return;
    }
    case 'token.issued':
    case 'token.rotated': {
      const granted = views.paired.get(event.data.device)?.scopes ?? [];
      if (!coversAll(event.data.role, granted, event.data.scopes)) fail('a token beyond the grant', event);
      if (event.type === 'token.rotated' && event.actor.kind === 'connection') {
        const held = event.actor.scopes ?? [];
        if (!held.includes('operator.admin') && !coversAll('operator', held, event.data.scopes))
          fail('rotated to more than it holds', event);
      }
      return;
    }
    default:
  }
};

/** A token is dead once it was ended by an event, or once the one that replaced it was used or its grace has passed. */
const dead = (events: readonly Event[], credential: string | undefined, at: number): boolean => {
  const issued = [...all(events, 'token.issued'), ...all(events, 'token.rotated')];
  const mine = issued.find((e) => e.data.credential === credential);
  const successor = issued.find((e) => e.data.replaces !== undefined && e.data.replaces === mine?.data.token);
  const used = all(events, 'connection.accepted').some(
    (e) => e.data.method === 'device-token' && e.data.credential === successor?.data.credential,
  );
  const ended = events.some(
    (e) =>
      ((e.type === 'token.revoked' || e.type === 'token.retired') && e.data.credential === credential) ||
      (e.type === 'device.removed' && credential !== undefined && e.data.credentials.includes(credential)),
  );
  return ended || (successor !== undefined && (used || at >= (successor.data.graceUntil ?? 0)));
};

const settled = (events: readonly Event[], id: string): boolean =>
  events.some(
    (e) =>
      (e.type === 'pairing.approved' ||
        e.type === 'pairing.rejected' ||
        e.type === 'pairing.expired' ||
        e.type === 'pairing.superseded') &&
      e.data.requestId === id,
  );

const rows = (views: History['views']) =>
  Object.fromEntries(viewNames.map((view) => [view, [...views[view].entries()].sort(([a], [b]) => (a < b ? -1 : 1))]));

t.test('no sequence of commands yields what the rules forbid, and replay gives the same views', (t) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (steps) => {
      const history = new History();
      for (const s of steps) {
        const before = [...history.events];
        const command = play(history, s);
        for (const event of history.events.slice(before.length)) {
          checkEvent(history.events.slice(0, event.seq - 1), history.views, event, command);
        }
        for (const [id, request] of history.views.pending.entries())
          if (settled(history.events, request.requestId))
            fail(`${id} waits though decided`, history.events.at(-1) as Event);
      }
      const replayed = new Draft(emptyViews);
      for (const event of history.events) replayed.fold(event);
      const [live, again] = [JSON.stringify(rows(history.views)), JSON.stringify(rows(replayed.views))];
      if (live !== again) throw new Error(`replay differs\n${live}\n${again}`);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  );
  t.pass('held');
  t.end();
});
