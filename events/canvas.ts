import * as t from 'io-ts';
import { fields, Int, kind } from './envelope.js';

/**
 * Whoever knows the capability may look at the canvas until `expiresAt` (ms). It is known here by its keyed digest alone. That of a node ends with
 * its `connection`, which is at `worker`, and there is one at a time; that of a person is a link.
 */
const Minted = fields(
  { capability: t.string, expiresAt: Int },
  { connection: t.string, worker: Int, device: t.string },
);

/** It was used for the first time, or again when half of its time had passed, and is good for longer. */
const Used = fields({ capability: t.string, expiresAt: Int }, { connection: t.string, device: t.string });

export const canvasEvents = {
  'canvas.capability-minted': kind(Minted),
  'canvas.capability-used': kind(Used),
};
