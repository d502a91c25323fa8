/*
 * What the gateway needs of the world and does not take for granted: time and chance. Given in from outside, so that a test
 * can live through months in milliseconds and every run of it is the same.
 */

export interface Clock {
  /** Wall clock: ms since the epoch. People set it; it may jump. */
  now(): number;
  /** Ms since some moment; never jumps, never runs backwards. */
  monotonic(): number;
  /** Calls once after `ms`, or again and again; the returned function stops it. Neither keeps the process alive. */
  after(ms: number, call: () => void): () => void;
  every(ms: number, call: () => void): () => void;
}

export interface Entropy {
  uuid(): string;
  bytes(count: number): Buffer;
}
