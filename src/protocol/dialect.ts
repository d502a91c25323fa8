/** The protocol a connection speaks: it decides shapes and words, never whether something is allowed (protocol.md §2). */
export type Dialect = 3 | 4;

/** What both sides speak, the newer first; undefined if there is nothing. */
export const negotiated = (min: number, max: number): Dialect | undefined => {
  if (min <= 4 && max >= 4) return 4;
  return min <= 3 && max >= 3 ? 3 : undefined;
};
