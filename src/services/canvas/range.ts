export interface Range {
  /** First and last byte, both of it. */
  readonly first: number;
  readonly last: number;
}

/** The one range that is asked for (RFC 9110 §14); undefined where all is to be sent: none is asked for, several are, or it is not understood. */
export const rangeOf = (header: string, bytes: number): Range | 'unsatisfiable' | undefined => {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? [];
  if (from === '' && to === '') return undefined;
  const first = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (from !== '' && to !== '' && Number(to) < first) return undefined;
  return first > last ? 'unsatisfiable' : { first, last };
};
