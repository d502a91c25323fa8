import type { Command } from 'commander';
import { type Common, connecting, number, reaching } from './options.js';

const onNodes = () => import('../commands/nodes.js');

interface OfNode extends Common {
  readonly node: string;
}

interface Invoke extends OfNode {
  readonly command: string;
  readonly params: string;
  readonly invokeTimeout?: number;
  readonly idempotencyKey?: string;
}

/** openclaw nodes … */
export const addNodes = (program: Command): void => {
  const nodes = program.command('nodes').description('look at nodes, and tell them to do things');
  const ofNode = (name: string, description: string): Command =>
    connecting(nodes.command(name).description(description)).requiredOption(
      '--node <node>',
      'its id, the beginning of its id, its name or its address',
    );

  connecting(nodes.command('status').description('which nodes there are, and which are here'))
    .option('--connected', 'only those that are here', false)
    .action(async (options: Common & { readonly connected: boolean }) =>
      (await onNodes()).status(reaching(options), options),
    );
  connecting(nodes.command('list').description('nodes that wait for a decision, and those that are paired')).action(
    async (options: Common) => (await onNodes()).list(reaching(options), options.json === true),
  );
  connecting(nodes.command('pending').description('nodes that wait for a decision')).action(async (options: Common) =>
    (await onNodes()).pending(reaching(options), options.json === true),
  );
  connecting(nodes.command('approve <requestId>').description('approve the request of a node')).action(
    async (requestId: string, options: Common) =>
      (await onNodes()).approve(requestId, reaching(options), options.json === true),
  );
  connecting(nodes.command('reject <requestId>').description('reject the request of a node')).action(
    async (requestId: string, options: Common) =>
      (await onNodes()).reject(requestId, reaching(options), options.json === true),
  );
  ofNode('describe', 'what a node is, and what it may be told').action(async (options: OfNode) =>
    (await onNodes()).describe(options.node, reaching(options), options.json === true),
  );
  ofNode('rename', 'give a node a name')
    .requiredOption('--name <name>', 'the name')
    .action(async (options: OfNode & { readonly name: string }) =>
      (await onNodes()).rename(options.node, options.name, reaching(options), options.json === true),
    );
  ofNode('invoke', 'tell a node to do something, and print what it answers')
    .requiredOption('--command <command>', 'one of its commands: openclaw nodes describe')
    .option('--params <json>', 'arguments, as JSON', '{}')
    .option('--invoke-timeout <ms>', 'how long the node may take', number)
    .option('--idempotency-key <key>', 'to ask again without having it done twice')
    .action(async ({ node, command, params, invokeTimeout, idempotencyKey, ...options }: Invoke) =>
      (await onNodes()).invoke({ node, command, params, invokeTimeout, idempotencyKey }, reaching(options), options),
    );
};
