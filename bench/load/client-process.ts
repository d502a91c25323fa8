import { type Tasks, tasks } from './tasks/index.js';

/* One process of clients: does what it is told, and ends with whoever started it. `node client-process.js <number>`. */

interface Order {
  readonly id: number;
  readonly task: keyof Tasks;
  readonly args: never;
}

process.on('disconnect', () => process.exit());
/* Whoever presses Ctrl-C means the bench, and that lets go of us. */
process.on('SIGINT', () => {});
process.on('message', ({ id, task, args }: Order) => {
  tasks[task](args).then(
    (result) => process.send?.({ id, result }),
    (error: Error) => process.send?.({ id, error: error.stack ?? error.message }),
  );
});
