/*
 * The catalogue of refusals: code, what the wire says (protocol.md), what to do about it, and how it leaves the process.
 * `message` is the exact text that clients match; a refusal may replace it by one that says more.
 */

/** Error codes of the wire (protocol.md §1.3). */
export type WireCode = 'INVALID_REQUEST' | 'NOT_PAIRED' | 'UNAVAILABLE' | 'FORBIDDEN';

/** Exit codes of the command line (design: 0 done, 1 refused, 2 wrong usage, 3 damaged, 5 not writable, 78 configuration). */
export const exit = { done: 0, refused: 1, usage: 2, damaged: 3, notWritable: 5, config: 78 } as const;

interface Entry {
  readonly wire: WireCode;
  readonly message: string;
  readonly remedy: string;
  readonly retryable?: true;
  /** Not of the original protocol: the refusal names its code in the details, so that a client of ours finds the remedy. */
  readonly ours?: true;
}

export const catalogue = {
  'unknown-request': {
    wire: 'INVALID_REQUEST',
    message: 'unknown requestId',
    remedy:
      'openclaw devices list shows the requests that wait; an id lives for five minutes after the device last asked',
  },
  'request-superseded': {
    wire: 'INVALID_REQUEST',
    message: 'unknown requestId: superseded',
    remedy: 'look at the new request, then approve it by its own id',
  },
  'approval-denied': {
    wire: 'INVALID_REQUEST',
    message: 'device pairing approval denied',
    remedy: 'a device token decides only about its own device, and only about operators: use an admin',
  },
  'rejection-denied': {
    wire: 'INVALID_REQUEST',
    message: 'device pairing rejection denied',
    remedy: 'a device token decides only about its own device: use an admin',
  },
  'removal-denied': {
    wire: 'INVALID_REQUEST',
    message: 'device pairing removal denied',
    remedy: 'a device token decides only about its own device: use an admin',
  },
  'rename-denied': {
    wire: 'INVALID_REQUEST',
    message: 'device pairing rename denied',
    remedy: 'a device token decides only about its own device: use an admin',
  },
  'rotation-denied': {
    wire: 'INVALID_REQUEST',
    message: 'device token rotation denied',
    remedy: 'rotate your own token, or use an admin whose scopes cover it',
  },
  'revocation-denied': {
    wire: 'INVALID_REQUEST',
    message: 'device token revocation denied',
    remedy: 'revoke your own token, or use an admin whose scopes cover it',
  },
  'missing-scope': {
    wire: 'FORBIDDEN',
    message: 'missing scope',
    remedy: 'connect as a device that holds the scope, or have the request for it approved',
  },
  'scope-outside-role': {
    wire: 'INVALID_REQUEST',
    message: 'invalid scope for requested roles',
    remedy: 'reject the request: operator scopes mean nothing to another role',
  },
  'unknown-device': {
    wire: 'INVALID_REQUEST',
    message: 'unknown deviceId',
    remedy: 'openclaw devices list shows the paired devices; the whole id is needed',
  },
  'device-seen': {
    wire: 'INVALID_REQUEST',
    message: 'device was seen since',
    remedy: 'openclaw audit stale shows what nobody has used; remove it all the same with openclaw devices remove',
  },
  'unknown-node': {
    wire: 'INVALID_REQUEST',
    message: 'unknown nodeId',
    remedy: 'openclaw devices list shows the paired devices; a node is one with the role node',
  },
  'node-not-connected': {
    wire: 'UNAVAILABLE',
    message: 'node not connected',
    remedy: 'openclaw nodes list shows which nodes are here; start the node, then try again',
  },
  'node-failed': {
    wire: 'UNAVAILABLE',
    message: 'the node could not do it',
    remedy: 'the message is the words of the node; openclaw nodes describe shows what it can do',
  },
  'node-mismatch': {
    wire: 'INVALID_REQUEST',
    message: 'nodeId mismatch',
    remedy: 'a node answers for itself: nodeId is the id of its own device',
  },
  'invoke-reserved': {
    wire: 'INVALID_REQUEST',
    message: 'node.invoke does not take system.execApprovals.*: use exec.approvals.node.*',
    remedy: 'openclaw approvals list shows what waits for a decision',
  },
  'command-not-allowed': {
    wire: 'INVALID_REQUEST',
    message: 'node command not allowed',
    remedy: 'openclaw nodes describe shows what it may be told; gateway.nodes.allowCommands adds to it',
  },
  'key-reused': {
    wire: 'INVALID_REQUEST',
    message: 'idempotencyKey was used for something else',
    remedy: 'take a new key for each thing that is asked, and the same one only to ask the same again',
    ours: true,
  },
  'too-many-invocations': {
    wire: 'UNAVAILABLE',
    message: 'too much is asked of nodes at once',
    remedy: 'wait until some of it is answered',
    retryable: true,
    ours: true,
  },
  'approval-pending': {
    wire: 'INVALID_REQUEST',
    message: 'approval id already pending',
    remedy: 'take a new id for each question, or none: then the gateway makes one',
  },
  'unknown-approval': {
    wire: 'INVALID_REQUEST',
    message: 'unknown approval id',
    remedy: 'openclaw approvals list shows what waits; somebody may have decided it already',
  },
  'approval-gone': {
    wire: 'INVALID_REQUEST',
    message: 'approval expired or not found',
    remedy: 'ask again: an answer can be had for 15 seconds',
  },
  'bad-decision': {
    wire: 'INVALID_REQUEST',
    message: 'invalid decision',
    remedy: 'it is allow-once, allow-always or deny',
  },
  'bad-run': {
    wire: 'INVALID_REQUEST',
    message: 'not something that can be run',
    remedy: 'for host=node say nodeId and the systemRunPlan that the node prepared',
  },
  'approval-mismatch': {
    wire: 'INVALID_REQUEST',
    message: 'approval id does not match request',
    remedy: 'an approval is for exactly one plan, on one node, for whoever asked, and for 15 seconds: ask again',
  },
  'too-many-approvals': {
    wire: 'UNAVAILABLE',
    message: 'too many runs wait for a decision',
    remedy: 'openclaw approvals list shows them',
    retryable: true,
    ours: true,
  },
  'too-many-links': {
    wire: 'UNAVAILABLE',
    message: 'too many links to the canvas',
    remedy: 'use one of those that were made; each ends ten minutes after it was last used',
    retryable: true,
    ours: true,
  },
  'no-canvas': {
    wire: 'UNAVAILABLE',
    message: 'canvas host unavailable',
    remedy: 'it is off: set canvasHost.enabled, and start the gateway again',
  },
  'unknown-token': {
    wire: 'INVALID_REQUEST',
    message: 'unknown deviceId/role',
    remedy: 'openclaw devices list shows which token each device has, and what it may carry',
  },
  'unknown-id': {
    wire: 'INVALID_REQUEST',
    message: 'unknown id',
    remedy: 'openclaw devices list and openclaw audit log show ids; the first six characters of one are enough',
    ours: true,
  },
  'bad-time': {
    wire: 'INVALID_REQUEST',
    message: 'not a time',
    remedy: 'write 2026-03-14T09:12:00Z, 1773479520, "2h ago", or the number of an event',
    ours: true,
  },
  'bad-rules': {
    wire: 'INVALID_REQUEST',
    message: 'not rules',
    remedy: 'openclaw audit rejudge --help shows an example of a rules file',
    ours: true,
  },
  'cuts-caller': {
    wire: 'INVALID_REQUEST',
    message: 'this would cut off the one who asks',
    remedy: "run it on the gateway's host, where the state folder is the proof, or as another admin",
    ours: true,
  },
  'secret-leaked': {
    wire: 'UNAVAILABLE',
    message: 'the gateway secret leaked',
    remedy: 'set another secret; openclaw audit credential says what the old one touched',
  },
  'evidence-unreadable': {
    wire: 'UNAVAILABLE',
    message: 'the log cannot be read',
    remedy: 'openclaw rebuild --check says how far it is good; a copy of the folder can be asked with --log <folder>',
  },
  'evidence-busy': {
    wire: 'UNAVAILABLE',
    message: 'too many questions at once',
    remedy: 'try again in a moment',
    retryable: true,
    ours: true,
  },
  'archive-held': {
    wire: 'INVALID_REQUEST',
    message: 'a hold is in force: nothing is moved to the archive',
    remedy: 'openclaw audit archive --list says since when and why; openclaw audit archive --release ends it',
    ours: true,
  },
  'mark-unusable': {
    wire: 'UNAVAILABLE',
    message: 'the high-water mark cannot be written',
    remedy: 'nothing is signed until it can: mount its place, or name another in gateway.audit.highWaterMark',
    retryable: true,
    ours: true,
  },
  'no-fork': {
    wire: 'INVALID_REQUEST',
    message: 'there is no fork to accept',
    remedy: 'the log has everything that was signed for: start the gateway',
    ours: true,
  },
  'erasure-held': {
    wire: 'INVALID_REQUEST',
    message: 'a hold is in force: nothing is erased',
    remedy:
      'openclaw audit archive --list says since when and why; whoever may end it: openclaw audit archive --release',
    ours: true,
  },
  'erasure-unexplained': {
    wire: 'INVALID_REQUEST',
    message: 'an erasure needs a reason',
    remedy: 'say why with --reason: it stays in the log in place of what is erased, so it names nobody',
    ours: true,
  },
  'log-not-writable': {
    wire: 'UNAVAILABLE',
    message: 'log not writable',
    remedy: 'the gateway decides nothing that it cannot record: see its log, mend the disk, restart it',
    retryable: true,
  },
  busy: {
    wire: 'UNAVAILABLE',
    message: 'too many decisions waiting',
    remedy: 'try again in a moment',
    retryable: true,
  },
  internal: {
    wire: 'UNAVAILABLE',
    message: 'internal error',
    remedy: 'the log of the gateway has the details; please report them',
  },
} as const satisfies Record<string, Entry>;

export type RefusalCode = keyof typeof catalogue;

/** A clear no. `details` travel to the client beside the message and hold no credential. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export const refusal = (
  code: RefusalCode,
  message: string = catalogue[code].message,
  details?: Refusal['details'],
): Refusal => (details === undefined ? { code, message } : { code, message, details });

export const remedyOf = (code: RefusalCode): string => catalogue[code].remedy;
