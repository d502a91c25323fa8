import type { Visitors } from '../visitors.js';
import type { Wire } from '../wire.js';
import { markNow } from './hold.js';
import { admitted } from './request.js';

let speaker: Wire | undefined;

/** Events that everybody hears of, asked for in one write. */
export const burst = async ({
  visitors,
  events,
}: {
  readonly visitors: Visitors;
  readonly events: number;
}): Promise<void> => {
  speaker ??= await admitted(visitors);
  const params = (): string => JSON.stringify({ enabled: true, phase: markNow() });
  speaker.sendAll(
    Array.from({ length: events }, (_, n) => `{"type":"req","id":"${n}","method":"talk.mode","params":${params()}}`),
  );
};

export const hush = async (_: object): Promise<void> => {
  speaker?.drop();
  speaker = undefined;
};
