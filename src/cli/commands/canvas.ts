import { call } from '../call.js';
import { json, say, tell } from '../output.js';
import type { ReachOptions } from '../reach.js';

/** A link for a browser. Whoever has it may look at the canvas, so it goes to stdout alone. */
export const link = async (options: ReachOptions, asJson: boolean): Promise<void> => {
  const told = (await call('canvas.link', {}, options)) as { readonly url: string; readonly expiresAtMs: number };
  if (asJson) return json(told);
  say(told.url);
  tell('Whoever has this link may look at the canvas, until ten minutes after it was last used.');
};
