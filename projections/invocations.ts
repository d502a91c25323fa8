import { clear, drop, type Projection, put, unchanged } from './projection.js';

/** Something that a node was told to do, and of which nobody knows yet what came. */
export interface Invocation {
  readonly seq: number;
  readonly at: number;
  readonly device: string;
  readonly command: string;
}

/** What is under way, by its id. A new boot knows of none: the connections are gone on which an answer could come. */
export const invocations: Projection<Invocation> = {
  name: 'invocations',
  version: 1,
  apply: (event) => {
    switch (event.type) {
      case 'gateway.started':
        return [clear];
      case 'node.invoked': {
        const { invocation, device, command } = event.data;
        return [put(invocation, { seq: event.seq, at: event.at, device, command })];
      }
      case 'node.invoke-finished':
        return [drop(event.data.invocation)];
      default:
        return unchanged;
    }
  },
};
