import type { Test } from 'tap';
import type { Answered } from '../../src/forensics/questions.js';
import { type Claims, connect, type Frame, type Key, newKey, REMOTE, type Wire } from './device.js';
import { type Running, type RunningOptions, running, TOKEN } from './gateway.js';
import { type Ended, openclaw } from './process.js';

/* A gateway with people around it: who types commands on its host, who connects from elsewhere, and what they hold. */

export interface Device {
  readonly key: Key;
  /** Its requests, latest last. */
  requestId: string;
  /** What it was told at its last hello. */
  token: string | undefined;
}

export interface Scene extends Running {
  /** What somebody types on the gateway's host, and what comes of it. */
  type(...args: readonly string[]): Promise<Ended>;
  /** The same, with the answer as a program reads it. */
  ask<A>(...args: readonly string[]): Promise<Answered<A>>;
  /** A device of somebody elsewhere knocks with the gateway secret. */
  knock(name: string, claims?: Claims, key?: Key): Promise<{ device: Device; wire: Wire; answer: Frame }>;
  approve(device: Device): Promise<void>;
  /** Knocks, is approved by the owner of the host, and is told its token. */
  paired(name: string, scopes?: readonly string[]): Promise<Device>;
  /** It comes by its token. */
  comes(device: Device, claims?: Claims): Promise<{ wire: Wire; answer: Frame }>;
}

export const scene = async (t: Test, options: RunningOptions = {}): Promise<Scene> => {
  const gateway = await running(t, options);
  const { state, port } = gateway;
  const type = (...args: readonly string[]): Promise<Ended> => openclaw(state, args);
  const knock: Scene['knock'] = async (name, claims = {}, key = newKey()) => {
    const client = { displayName: name, ...claims.client };
    const { wire, answer } = await connect(port, key, { auth: { token: TOKEN }, ...claims, client }, REMOTE);
    const device = {
      key,
      requestId: answer.error?.details?.requestId as string,
      token: answer.payload?.auth?.deviceToken,
    };
    return { device, wire, answer };
  };
  const approve = async ({ requestId }: Device): Promise<void> => {
    const { code, err } = await type('devices', 'approve', requestId);
    if (code !== 0) throw new Error(err);
  };
  const paired: Scene['paired'] = async (name, scopes = ['operator.read']) => {
    const { device } = await knock(name, { scopes });
    await approve(device);
    const back = await knock(name, { scopes }, device.key);
    back.wire.end();
    await back.wire.close();
    return { ...device, token: back.device.token };
  };
  const comes: Scene['comes'] = ({ key, token = '' }, claims = {}) =>
    connect(port, key, { auth: { deviceToken: token }, ...claims }, REMOTE);
  return {
    ...gateway,
    type,
    ask: async (...args) => {
      const { code, out, err } = await type(...args, '--json');
      if (code !== 0) throw new Error(`${args.join(' ')}: ${code} ${err}`);
      return JSON.parse(out);
    },
    knock,
    approve,
    paired,
    comes,
  };
};
