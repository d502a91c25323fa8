import type { Role } from '../../../events/index.js';
import { holderOf, type OriginOf, type Views } from '../../../projections/index.js';
import { closed, integer, text } from '../../codec.js';
import { approve } from '../../decisions/approve.js';
import { deviceIn, deviceOfRequest } from '../../decisions/device.js';
import type { FreshToken } from '../../decisions/issue.js';
import { reject } from '../../decisions/reject.js';
import { remove } from '../../decisions/remove.js';
import { rename } from '../../decisions/rename.js';
import { revoke } from '../../decisions/revoke.js';
import { rotate } from '../../decisions/rotate.js';
import { normalised } from '../../decisions/scopes.js';
import { refusal } from '../../errors.js';
import { limits } from '../../limits.js';
import { scopeList } from '../../protocol/connect-params.js';
import { pairedInDialect4, pairedOnWire } from '../../protocol/pairing.js';
import { plain } from '../../text.js';
import { freshToken } from '../admission.js';
import { answer, type Call, commit, type Family, method, type Reply, read, refuse } from './method.js';

/* Devices: who waits, who is in, and every decision about them (protocol.md §6.5, §6.6). */

const none = closed({}, {});
const requestId = closed({ requestId: text() }, {});

/** The device and role of a request, for the token that its approval would issue. A request never changes, so reading ahead is safe. */
const freshFor = (id: string, { parts }: Call): FreshToken => {
  const { keys, entropy, ledger } = parts;
  const device = ledger.views.requests.get(id)?.device ?? '';
  return freshToken(keys, entropy, device, ledger.views.pending.get(device)?.role ?? 'operator');
};

/** A device as the caller's dialect shows it. */
const shown = (views: Views, originOf: OriginOf, device: string, { session, parts }: Call) => {
  const row = views.paired.get(device);
  if (row === undefined) return undefined;
  const usage = views.usage.get(device);
  const holder = holderOf(row, originOf);
  return session.dialect === 4
    ? pairedInDialect4(row, holder, usage, parts.sessions.isConnected(device))
    : pairedOnWire(row, holder, usage);
};

/** Approves a request. What is answered is the device as the approval left it. */
export const approveRequest = (
  id: string,
  call: Call,
  reply: (device: string, views: Views, originOf: OriginOf) => unknown,
): Reply => {
  const fresh = freshFor(id, call);
  return commit({
    decide: (views, moment, originOf) =>
      approve(deviceOfRequest(views, id, moment), { requestId: id, by: call.by, fresh, originOf }, moment),
    answer: ([event], views, originOf) =>
      reply(event?.type === 'pairing.approved' ? event.data.device : '', views, originOf),
  });
};

export const rejectRequest = (id: string, call: Call, reply: (device: string) => unknown): Reply =>
  commit({
    decide: (views, moment) => reject(deviceOfRequest(views, id, moment), { requestId: id, by: call.by }),
    answer: ([event]) => reply(event?.type === 'pairing.rejected' ? event.data.device : ''),
  });

export const renameDevice = (device: string, name: string, { by }: Call, reply: (label: string) => unknown): Reply => {
  const label = plain(name, limits.claims.labelChars) ?? '';
  return commit({
    decide: (views, moment) => rename(deviceIn(views, device, moment), { label, by }),
    answer: () => reply(label),
  });
};

const isRole = (role: string): role is Role => role === 'operator' || role === 'node';

export const devices: Family = {
  'device.pair.list': read(none, (_, { by, session, parts }) => answer(parts.pairList.for(by, session.dialect))),

  'device.pair.approve': method(requestId, (params, call) =>
    approveRequest(params.requestId, call, (device, views, originOf) => ({
      requestId: params.requestId,
      device: shown(views, originOf, device, call),
    })),
  ),

  'device.pair.reject': method(requestId, (params, call) =>
    rejectRequest(params.requestId, call, (deviceId) => ({ requestId: params.requestId, deviceId })),
  ),

  'device.pair.remove': method(
    closed({ deviceId: text() }, { unseenSince: integer(0) }),
    ({ deviceId: id, unseenSince: since }, { by, parts }) => {
      const isHere = parts.sessions.isConnected(id);
      return commit({
        decide: (views, moment) => {
          const seenAt = isHere ? 'open' : views.usage.get(id)?.seenAt;
          return remove(deviceIn(views, id, moment), { by, unseen: since === undefined ? since : { since, seenAt } });
        },
        answer: () => ({ deviceId: id }),
      });
    },
  ),

  'device.pair.rename': method(
    closed({ deviceId: text(), label: text(limits.claims.labelChars) }, {}),
    (params, call) =>
      renameDevice(params.deviceId, params.label, call, (label) => ({ deviceId: params.deviceId, label })),
  ),

  'device.token.rotate': method(
    closed({ deviceId: text(), role: text() }, { scopes: scopeList }),
    ({ deviceId: id, role, scopes }, { by, session, parts }) => {
      if (!isRole(role)) return refuse(refusal('unknown-token'));
      const { keys, entropy } = parts;
      const fresh = freshToken(keys, entropy, id, role);
      /* A new token is told to nobody but its device: to the caller only if that is the device itself. */
      const own = session.device === id;
      const delivery = session.dialect === 4 ? { tokenDelivery: own ? 'in-band' : 'withheld-cross-device' } : {};
      return commit({
        decide: (views, moment) =>
          rotate(deviceIn(views, id, moment), { role, scopes: scopes && normalised(scopes), by, fresh }, moment),
        answer: (_, views) => {
          const token = views.paired.get(id)?.tokens[role];
          return {
            deviceId: id,
            role,
            ...(own ? { token: keys.deviceToken(id, role, fresh.token) } : {}),
            ...delivery,
            scopes: token?.scopes,
            rotatedAtMs: token?.rotatedAt,
          };
        },
      });
    },
  ),

  'device.token.revoke': method(closed({ deviceId: text(), role: text() }, {}), ({ deviceId: id, role }, { by }) => {
    if (!isRole(role)) return refuse(refusal('unknown-token'));
    return commit({
      decide: (views, moment) => revoke(deviceIn(views, id, moment), { role, by }),
      answer: (_, views) => ({ deviceId: id, role, revokedAtMs: views.paired.get(id)?.tokens[role]?.revokedAt }),
    });
  }),
};
