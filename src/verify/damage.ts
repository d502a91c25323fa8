/*
 * What can be wrong with a log, as a closed list: programs may rely on the codes, and no damage is without one. Integrity alone: what a
 * sound log may lack is said apart, in holes.ts.
 */

export const damageClasses = {
  'view-mismatch': 'a list is not what the events make of it',
  'store-unreadable': 'the database cannot be read',
  'checkpoint-missing': 'there is no checkpoint',
  'checkpoint-malformed': 'the checkpoint is not one',
  'key-unknown': 'the checkpoint is signed by nobody the policy knows',
  'signature-invalid': 'a signature does not verify',
  'policy-not-met': 'the policy asks for more cosignatures',
  'leaf-changed': 'an event is not what was recorded',
  'leaf-missing': 'an event is missing',
  'leaf-moved': 'an event is in the place of another',
  'leaf-inserted': 'an event was put in that was never recorded',
  'tile-mismatch': 'the tree is not that of the events',
  'root-mismatch': 'the events are not those that were signed for',
  'truncated-tail': 'the log ends before its checkpoint does',
  'rolled-back': 'the log is shorter than it was',
  'inconsistent-with-older': 'the log is not the one of the older checkpoint',
  'event-invalid': 'an event contradicts its place',
  'origin-changed': 'personal data are not what was recorded',
  'origin-missing': 'personal data are gone, and nobody erased them on the record',
} as const;

export type DamageClass = keyof typeof damageClasses;

/** One thing that is wrong: of these events, where it is about events, from the first to the last of them. */
export interface Damage {
  readonly class: DamageClass;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Of what, in words. */
  readonly what: string;
}
