import type { Impersonal } from '../events/index.js';

/** The rows of one view, by key. What a fold or a decision may read; nobody writes here. */
export interface Rows<R> {
  get(key: string): R | undefined;
  /** In key order; with a prefix, only the keys that begin with it. */
  entries(prefix?: string): Iterable<readonly [key: string, row: R]>;
  size(): number;
}

export type Change<R> =
  | { readonly put: string; readonly row: R }
  | { readonly drop: string }
  | { readonly clear: true };

/**
 * A view as a fold: what changes in its rows because this event happened. It reads nothing but its own rows and the event, and never
 * its personal data, which may be erased: so the same log always gives the same bytes. Raise `version` when the rows would come out
 * different: the view is then rebuilt.
 */
export interface Projection<R> {
  readonly name: string;
  readonly version: number;
  readonly apply: (event: Impersonal, rows: Rows<R>) => readonly Change<R>[];
}

export const put = <R>(key: string, row: R): Change<R> => ({ put: key, row });
export const drop = (key: string): Change<never> => ({ drop: key });
export const clear: Change<never> = { clear: true };
export const unchanged: readonly Change<never>[] = [];
