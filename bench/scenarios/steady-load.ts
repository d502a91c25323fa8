import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TOKEN } from '../client.js';
import { grown } from '../history.js';
import { Histogram } from '../load/histogram.js';
import { told } from '../load/tally.js';
import type { Server } from '../servers/server.js';
import { arriving } from './arriving.js';
import { paired } from './paired.js';
import { asked, STRANGERS } from './pairing.js';
import type { Lab, Row, Scenario } from './scenario.js';

const OPENCLAW = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const LOG_EVENTS = 200_000;
const REQUESTS = 2_000;
const APPROVERS = 10;

/** Connects at a pace, whatever else goes on. A time begins when a connect was due, not when the client came to make it. */
export const steadyLoad: Scenario = {
  says: '500 connects a second at a pace, beside what else a gateway has to do; its log begins with 200,000 events',
  minutes: 2.5,
  servers: ['gateway', 'original', 'ws'],
  turns: 1,
  sizes: {
    full: { connections: 0, devices: 1_000, seconds: 20, perSecond: 500 },
    quick: { connections: 0, devices: 10, seconds: 0.5, perSecond: 20 },
    original: { connections: 0, devices: 1_000, seconds: 20, perSecond: 10 },
  },
  needs: ({ perSecond }) => ({ sockets: 200 + perSecond * 10, memoryMiB: 1500 }),
  targets: ['alone', 'beside 2,000 approvals', 'beside audit verify', 'beside audit export'].flatMap((what) => [
    { what, figure: 'p99', most: 100 },
    { what, figure: 'failed', most: 0 },
  ]),
  run: async (lab) => {
    let server = await lab.start({ paired: lab.sizes.devices });
    try {
      const ours = lab.name === 'gateway';
      if (ours && !lab.quick) {
        await server.end();
        await grown(server.folder, LOG_EVENTS);
        /* What was just written is not what is measured. */
        execFileSync('sync');
        server = await server.restart();
      }
      await paired(lab, server, lab.sizes.devices);
      const rows = [await pace(lab, server, 'alone')];
      if (lab.name !== 'ws') rows.push(await besideApprovals(lab, server));
      if (!ours) return rows;
      const ledger = join(server.folder, 'ledger');
      for (const what of ['verify', 'export']) {
        const args = what === 'verify' ? ['verify', ledger] : ['export', '--log', ledger];
        rows.push(await besideCommand(lab, server, `beside audit ${what}`, ['audit', ...args]));
      }
      return rows;
    } finally {
      await server.stop();
    }
  },
};

const pace = (lab: Lab, server: Server, what: string, seconds = lab.sizes.seconds): Promise<Row> =>
  arriving(lab, server, what, { perSecond: lab.sizes.perSecond, seconds });

const besideApprovals = async (lab: Lab, server: Server): Promise<Row> => {
  const count = Math.round(Math.min(REQUESTS, lab.sizes.perSecond * 4));
  const { requests } = await asked(lab, server, STRANGERS, count);
  const [row, work] = await Promise.all([
    pace(lab, server, 'beside 2,000 approvals'),
    lab.clients.one(1, 'work', {
      visitors: { port: server.port, devices: { first: 0, count: 1 } },
      workers: APPROVERS,
      calls: requests.map((requestId) => ['device.pair.approve', JSON.stringify({ requestId })] as const),
    }),
  ]);
  const times = Histogram.of(work.times);
  const note = `${times.total} approved, p99 ${times.quantile(0.99)?.toFixed(1)} ms`;
  return { ...row, note: [row.note, note, told(work.failed)].filter(Boolean).join('; ') };
};

/** Over and over, as somebody does who gave it the lowest priority. */
const besideCommand = async (lab: Lab, server: Server, what: string, args: readonly string[]): Promise<Row> => {
  let child: ReturnType<typeof spawn> | undefined;
  let over = false;
  let ended = 0;
  let failed = 0;
  const again = (): void => {
    if (over) return;
    child = spawn('nice', ['-n', '19', process.execPath, OPENCLAW, ...args], {
      stdio: 'ignore',
      env: { ...process.env, OPENCLAW_STATE_DIR: server.folder, OPENCLAW_GATEWAY_TOKEN: TOKEN },
    });
    child.once('exit', (code) => {
      if (code === 0) ended++;
      else if (!over) failed++;
      if (failed < 5) again();
    });
  };
  again();
  const row = await pace(lab, server, what);
  over = true;
  child?.kill();
  const note = `${ended} times it ended${failed > 0 ? `, ${failed} times it failed` : ''}`;
  return { ...row, note: [row.note, note].filter(Boolean).join('; ') };
};
