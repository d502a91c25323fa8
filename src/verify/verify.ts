import * as E from 'fp-ts/lib/Either.js';
import { limits } from '../limits.js';
import { openCheckpoint, type SignedCheckpoint } from '../proof/checkpoint.js';
import { judge } from '../proof/judgement.js';
import type { Policy } from '../proof/policy.js';
import { TILE_WIDTH } from '../proof/tile.js';
import { Comparison } from './comparison.js';
import { Contents } from './contents.js';
import { contradictions, invalid } from './contradictions.js';
import type { Damage } from './damage.js';
import type { Hole } from './holes.js';
import { pastOf } from './past.js';
import type { Leaves, Source } from './source.js';

/** A checkpoint that somebody kept, and where it was found. */
export interface Kept {
  readonly name: string;
  readonly note: string;
}

export interface Against {
  /** Whom to believe. Without it no signature means anything, and none is looked at. */
  readonly policy?: Policy | undefined;
  /** What the log has to go on from. */
  readonly older?: readonly Kept[] | undefined;
  /** The views, too: of a ledger, and at the cost of folding every event. */
  readonly views?: boolean | undefined;
}

/** What was found. Sound is a log without damage; what it may lack all the same are its holes. Times in ms, roots in hex. */
export interface Report {
  readonly v: 1;
  readonly log: string;
  readonly sound: boolean;
  readonly events: number;
  readonly bytes: number;
  readonly root: string;
  readonly checkpoint?: {
    readonly origin: string;
    readonly size: number;
    /** By whom, if a policy said whom to believe. */
    readonly signedBy?: string;
    readonly cosigned?: readonly { readonly witness: string; readonly at: number }[];
  };
  /** Older checkpoints, by name, that the log goes on from. */
  readonly extends: readonly { readonly name: string; readonly size: number }[];
  /** The last event of a sound log that somebody vouches for: by a signature that the policy believes, or by a checkpoint that was kept elsewhere. */
  readonly vouchedUpTo: number;
  /** Of a ledger: whether its views were looked at, too. */
  readonly views?: 'compared' | 'not compared';
  readonly damage: readonly Damage[];
  readonly holes: readonly Hole[];
  /** How many holes of a kind are not told one by one. */
  readonly more: Readonly<Record<string, number>>;
}

/** Reads a log from its first event to its last and says what is wrong with it. Memory does not grow with it. */
export const verify = async (source: Source, { policy, older = [], views = false }: Against): Promise<Report> => {
  const signed = opened(source);
  const checkpoint = E.isRight(signed) ? signed.right : undefined;
  const judged = checkpoint === undefined || policy === undefined ? undefined : judge(policy, checkpoint);
  const doubts = [
    ...(E.isLeft(signed) ? [signed.left] : []),
    ...(judged !== undefined && E.isLeft(judged) ? [{ class: judged.left.kind, what: judged.left.why } as const] : []),
  ];
  if (source.sizeIsSigned && doubts.some((one) => one.class !== 'policy-not-met')) return unread(source, doubts);
  const kept = older.map((one) => ({ ...one, opened: openCheckpoint(one.note) }));
  const sizes = [source.size, sizeOf(signed), ...kept.map((one) => sizeOf(one.opened))];
  const comparison = new Comparison(source, new Set(sizes));
  const contents = new Contents();
  for await (const leaves of source.leaves()) {
    await comparison.add(leaves);
    look(leaves, contents);
    if (comparison.blank >= limits.proof.missingBundles) break;
  }
  await comparison.end();
  if (contents.lacking) for (const { seq, bytes } of source.later()) contents.holes.seeLater(seq, bytes);
  const present = { signed: checkpoint, policy, roots: comparison.roots };
  const past = kept.map((one) => pastOf(one.name, one.opened, present));
  const damage = [
    ...source.found,
    ...doubts,
    ...contradictions(source, checkpoint, comparison),
    ...comparison.damage,
    ...invalid(contents, comparison.between(1, source.size)),
    ...lostOrigins(contents),
    ...past.flatMap((one) => ('damage' in one ? [one.damage] : [])),
    ...(views ? (source.views?.() ?? []) : []),
  ];
  const extended = past.flatMap((one) => ('size' in one ? [one] : []));
  const believed = judged !== undefined && E.isRight(judged) ? (checkpoint?.checkpoint.size ?? 0) : 0;
  const covered = checkpoint?.checkpoint.size ?? 0;
  if (source.size > covered) contents.holes.add({ kind: 'unsigned', from: covered + 1, to: source.size });
  return {
    v: 1,
    log: source.name,
    sound: damage.length === 0,
    events: comparison.size,
    bytes: contents.bytes,
    root: comparison.roots.get(source.size)?.byEvents.toString('hex') ?? '',
    ...(checkpoint && { checkpoint: said(checkpoint, judged) }),
    extends: extended,
    vouchedUpTo: damage.length > 0 ? 0 : Math.max(0, believed, ...extended.map((one) => one.size)),
    ...(source.views !== undefined && { views: views ? 'compared' : 'not compared' }),
    damage,
    holes: contents.holes.all,
    more: Object.fromEntries(contents.holes.untold),
  };
};

/** Whoever made a log that nobody of the policy signed would also say how much of it there is to read. */
const unread = (source: Source, damage: readonly Damage[]): Report => ({
  v: 1,
  log: source.name,
  sound: false,
  events: 0,
  bytes: 0,
  root: '',
  extends: [],
  vouchedUpTo: 0,
  damage: [...source.found, ...damage],
  holes: [],
  more: {},
});

type Opened = E.Either<Damage, SignedCheckpoint>;

const opened = ({ checkpoint }: Source): Opened => {
  if (checkpoint === undefined) return E.left({ class: 'checkpoint-missing', what: 'nobody signed for this log' });
  const note = openCheckpoint(checkpoint);
  return E.isLeft(note) ? E.left({ class: 'checkpoint-malformed', what: note.left }) : note;
};

const sizeOf = (signed: E.Either<unknown, SignedCheckpoint>): number =>
  E.isRight(signed) ? signed.right.checkpoint.size : 0;

const look = ({ index, leaves }: Leaves, contents: Contents): void => {
  for (const [at, leaf] of leaves.entries()) if (leaf !== undefined) contents.see(index * TILE_WIDTH + at + 1, leaf);
};

const said = (
  { checkpoint: { origin, size } }: SignedCheckpoint,
  judged: ReturnType<typeof judge> | undefined,
): NonNullable<Report['checkpoint']> => ({
  origin,
  size,
  ...(judged !== undefined &&
    E.isRight(judged) && { signedBy: judged.right.log.name, cosigned: judged.right.cosigned }),
});

const lostOrigins = (contents: Contents): readonly Damage[] =>
  contents.lost().map(({ from, to }) => ({ class: 'origin-missing', from, to, what: 'no erasure names them' }));
