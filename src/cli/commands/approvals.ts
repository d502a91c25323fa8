import { call } from '../call.js';
import { age, json, say } from '../output.js';
import type { ReachOptions } from '../reach.js';

/* openclaw approvals …: only while the gateway runs, as whoever asks has to be there. */

interface Waiting {
  readonly id: string;
  readonly request: {
    readonly command: string;
    readonly cwd: string | null;
    readonly nodeId: string | null;
    readonly agentId: string | null;
    readonly systemRunPlan: { readonly argv: readonly string[] } | null;
  };
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export const list = async (options: ReachOptions, asJson: boolean): Promise<void> => {
  const waiting = (await call('exec.approval.list', {}, options)) as readonly Waiting[];
  if (asJson) return json(waiting);
  if (waiting.length === 0) return say('Nothing waits for a decision.');
  const now = Date.now();
  for (const { id, request, createdAtMs, expiresAtMs } of waiting) {
    say(`${id}  asked ${age(now - createdAtMs)}, ends in ${Math.max(0, Math.round((expiresAtMs - now) / 1000))}s`);
    /* Quoted as JSON: what is run cannot draw on the terminal of whoever decides, nor look like something else. */
    say(`  runs   ${(request.systemRunPlan?.argv ?? [request.command]).map((word) => JSON.stringify(word)).join(' ')}`);
    for (const [label, value] of [
      ['in', request.cwd],
      ['on', request.nodeId],
      ['for', request.agentId],
    ] as const)
      if (value !== null) say(`  ${label.padEnd(6)} ${JSON.stringify(value)}`);
  }
  say('openclaw approvals allow <id>, or deny <id>');
};

export const decide = async (
  id: string,
  decision: string,
  options: ReachOptions,
  { json: asJson }: { readonly json?: boolean },
): Promise<void> => {
  const result = await call('exec.approval.resolve', { id, decision }, options);
  if (asJson === true) json(result);
  else say(decision === 'deny' ? `Denied ${id}` : `Allowed ${id} (${decision})`);
};
