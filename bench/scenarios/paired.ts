import type { Server } from '../servers/server.js';
import type { Lab } from './scenario.js';

const AT_ONCE = 32;

/** Devices 0 to so many have been here. The original was given them before it started, and the others keep no list. */
export const paired = async ({ clients, name }: Lab, server: Server, devices: number): Promise<void> => {
  if (name !== 'gateway') return;
  await clients.all('introduce', (number) => ({
    visitors: { port: server.port, devices: clients.range(0, devices, number) },
    atOnce: AT_ONCE,
  }));
};
