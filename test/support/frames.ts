import * as E from 'fp-ts/lib/Either.js';
import { decode, rulesOf } from '../../src/codec.js';
import { V3Frame } from '../conformance/v3-frames.js';

/*
 * Every frame that a gateway sends in a test is checked: of protocol 4 against the published schema, of protocol 3 against a
 * codec of ours that is proven on the recordings.
 */

interface Schema {
  Check(value: unknown): boolean;
  Errors(value: unknown): Iterable<unknown>;
}

/** The published package asks for Node 22; where it does not load, frames of protocol 4 go unchecked and `checked.v4` stays 0. */
const published = await (async () => {
  try {
    const { ProtocolSchemas } = (await import('@openclaw/gateway-protocol/schema')) as {
      ProtocolSchemas: Readonly<Record<string, object>>;
    };
    const { Compile } = (await import('typebox/compile')) as unknown as { Compile: (schema: object) => Schema };
    return { ProtocolSchemas, Compile };
  } catch {
    return undefined;
  }
})();

/** How many frames have been checked in this process. */
export const checked = { v4: 0, v3: 0 };

const compiled = new Map<string, Schema>();

const schemaOf = (name: string): Schema | undefined => {
  if (published === undefined) return undefined;
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const schema = published.ProtocolSchemas[name];
  if (schema === undefined) throw new Error(`the published protocol has no ${name}`);
  const made = published.Compile(schema);
  compiled.set(name, made);
  return made;
};

const mustFit = (name: string, value: unknown): void => {
  const schema = schemaOf(name);
  if (schema === undefined || schema.Check(value)) return;
  throw new Error(
    `not a ${name}: ${JSON.stringify([...schema.Errors(value)].slice(0, 3))} in ${JSON.stringify(value)}`,
  );
};

const EVENTS: Readonly<Record<string, string>> = {
  tick: 'TickEvent',
  shutdown: 'ShutdownEvent',
  'device.pair.requested': 'DevicePairRequestedEvent',
  'device.pair.resolved': 'DevicePairResolvedEvent',
};

const RESULTS: Readonly<Record<string, string>> = {
  'agents.list': 'AgentsListResult',
  'agent.identity.get': 'AgentIdentityResult',
  'models.list': 'ModelsListResult',
  'tools.catalog': 'ToolsCatalogResult',
  'logs.tail': 'LogsTailResult',
  'channels.status': 'ChannelsStatusResult',
  'config.schema': 'ConfigSchemaResponse',
  'talk.config': 'TalkConfigResult',
  'device.token.rotate': 'DeviceTokenRotateResult',
};

/** Throws if the frame is not one of its dialect. Before the dialect is known frames look the same in both. */
// biome-ignore lint/suspicious/noExplicitAny: a frame, before it is known to be one.
export const checkFrame = (frame: any, dialect: number | undefined): void => {
  if (dialect === 3) {
    const shape = decode(V3Frame, frame);
    if (E.isLeft(shape))
      throw new Error(`not a frame of protocol 3: ${rulesOf(shape.left)} in ${JSON.stringify(frame)}`);
    checked.v3++;
    return;
  }
  if (published !== undefined) checked.v4++;
  mustFit(frame.type === 'res' ? 'ResponseFrame' : 'EventFrame', frame);
  if (dialect !== 4) return;
  if (frame.payload?.type === 'hello-ok') mustFit('HelloOk', frame.payload);
  const name = EVENTS[frame.event];
  if (name !== undefined) mustFit(name, frame.payload);
  if (frame.event === 'presence') for (const entry of frame.payload.presence) mustFit('PresenceEntry', entry);
};

/** Throws if what a method answered is not what the published protocol says it answers. */
export const checkResult = (method: string, payload: unknown, dialect: number | undefined): void => {
  const name = RESULTS[method];
  if (dialect === 4 && name !== undefined) mustFit(name, payload);
};
