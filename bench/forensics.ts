import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QuestionName } from '../src/forensics/questions.js';
import { admitted, append, appendCost, appendCosts, deviceOf, EVENTS, grown, openLedger, visit } from './history.js';
import type { Figure } from './measure.js';

const ASK = fileURLToPath(new URL('./ask.js', import.meta.url));
const LEAKED = 'dead0000beef0000';
const MIB = 1024 * 1024;

interface Asked {
  readonly ms: number;
  readonly peakBytes: number;
}

const ask = (state: string, question: QuestionName, params: object): Asked =>
  JSON.parse(
    execFileSync(process.execPath, [ASK, join(state, 'ledger'), question, JSON.stringify(params)], {
      encoding: 'utf8',
    }),
  ) as Asked;

/** In the middle of the log: a secret that leaked let ten devices in, and each came a hundred times. */
const plant = async (state: string): Promise<void> => {
  const ledger = await openLedger(join(state, 'ledger'));
  await append(ledger, [
    {
      type: 'gateway.secret-rotated',
      subject: 'gateway',
      actor: { kind: 'gateway', rule: 'start' },
      data: { to: LEAKED, source: 'bench' },
    },
  ]);
  for (let n = 0; n < 10; n++) {
    const device = hash('sha256', `intruder ${n}`, 'hex');
    const token = device.slice(-16);
    await append(ledger, admitted(device, LEAKED, token, '198.51.100.66'));
    await append(ledger, Array.from({ length: 100 }, () => visit(device, token, '198.51.100.66')).flat());
  }
  await ledger.close();
};

const QUESTIONS: readonly (readonly [name: string, question: QuestionName, params: object])[] = [
  ['audit credential', 'credential', { credential: LEAKED }],
  ['audit who, of one of 1,000 devices', 'who', { id: deviceOf(7) }],
  ['audit log --address, the last 100', 'log', { address: '198.51.100.66' }],
  ['devices list --at, in the middle', 'devices', { at: String(EVENTS / 2 + 777) }],
  ['status --at, near the end', 'status', { at: String(EVENTS - 777) }],
  ['audit diff, over half of it', 'diff', { from: String(EVENTS / 2), to: String(EVENTS) }],
];

/** Questions on a log of a million events, each in a fresh process that opens the log; and what the index costs the append. */
export const forensics = async (repeats: number): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  const state = mkdtempSync(join(tmpdir(), 'clawledger-bench-'));
  await grown(state, EVENTS / 2);
  await plant(state);
  await grown(state, EVENTS / 2);
  for (const [name, question, params] of QUESTIONS) {
    const asked = Array.from({ length: repeats }, () => ask(state, question, params));
    figures.push({
      name: `${name}, ${EVENTS.toLocaleString('en')} events`,
      unit: 'ms',
      ours: asked.map(({ ms }) => ms),
      note: 'opening the log included',
    });
    figures.push({
      name: `${name}, peak RSS of the process`,
      unit: 'MiB',
      ours: asked.map(({ peakBytes }) => peakBytes / MIB),
    });
  }
  rmSync(state, { recursive: true, force: true });
  figures.push({
    name: 'an append with the index kept',
    unit: 'µs',
    ...(await appendCosts(repeats, appendCost)),
    note: 'limit: the same without an index',
  });
  return figures;
};
