import { type Arguments, Unable } from '../arguments.js';
import { Clients } from '../load/clients.js';
import type { Result } from '../report/result.js';
import { checkRoom, type Room } from '../room.js';
import { type ServerName, startServer } from '../servers/index.js';
import { lackOf } from '../servers/original.js';
import type { Row, Scenario, Sizes } from './scenario.js';

/* Scenarios are done to each server in turn, so that a machine that slows down slows all of them. */

const PROCESSES = 2;

const sizesFor = (scenario: Scenario, server: ServerName, { quick, numbers }: Arguments): Sizes => {
  const { full, original } = scenario.sizes;
  const sizes = quick ? scenario.sizes.quick : server === 'original' ? (original ?? full) : full;
  const seconds = numbers.minutes === undefined ? sizes.seconds : numbers.minutes * 60;
  /* The original is asked for less, whatever is said: it would not end. */
  const bounded = server === 'original' && original !== undefined;
  const most = (given: number | undefined, size: number): number =>
    given === undefined ? size : bounded ? Math.min(given, size) : given;
  return {
    ...sizes,
    seconds,
    connections: most(numbers.connections, sizes.connections),
    devices: most(numbers.devices, sizes.devices),
  };
};

const serversFor = (scenario: Scenario, { peer }: Arguments): readonly ServerName[] =>
  scenario.servers.filter((name) => peer !== undefined || (name !== 'original' && name !== 'ws'));

const workersFor = (scenario: Scenario, { numbers }: Arguments): number | undefined =>
  numbers.workers ?? scenario.workers;

const processesFor = (scenario: Scenario, { numbers }: Arguments): number =>
  numbers.processes ?? scenario.processes ?? PROCESSES;

/** Throws if one of them cannot be done here. */
export const check = (chosen: Readonly<Record<string, Scenario>>, said: Arguments, room: Room): void => {
  if (said.peer !== undefined) {
    const lack = lackOf(said.peer);
    if (lack !== undefined)
      throw new Unable(
        `--peer ${said.peer} has no OpenClaw 2026.3.2 and its Node in it (${lack} is missing): bench/README.md says how to make one`,
      );
  }
  for (const [name, scenario] of Object.entries(chosen)) {
    for (const server of serversFor(scenario, said)) {
      const workers = server === 'gateway' ? (workersFor(scenario, said) ?? 1) : 1;
      const needs = scenario.needs(sizesFor(scenario, server, said));
      checkRoom(name, needs, { processes: processesFor(scenario, said), workers }, room);
    }
  }
};

/** Every turn of a scenario, to every server. */
export const run = async (
  name: string,
  scenario: Scenario,
  said: Arguments,
  tell: (server: ServerName, row: Row) => void,
): Promise<Result> => {
  const turns = said.quick ? 1 : (said.numbers.turns ?? scenario.turns);
  const measurements: { server: ServerName; turn: number; row: Row }[] = [];
  for (let turn = 0; turn < turns; turn++)
    for (const server of serversFor(scenario, said)) {
      const clients = new Clients(processesFor(scenario, said));
      const workers = server === 'gateway' ? workersFor(scenario, said) : undefined;
      try {
        const rows = await scenario.run({
          clients,
          name: server,
          sizes: sizesFor(scenario, server, said),
          quick: said.quick,
          start: (wanted = {}) => startServer(server, { ...wanted, workers, peer: said.peer }),
        });
        for (const row of rows) {
          measurements.push({ server, turn, row });
          tell(server, row);
        }
      } finally {
        clients.stop();
      }
    }
  return { scenario: name, says: scenario.says, quick: said.quick, measurements, targets: scenario.targets };
};
