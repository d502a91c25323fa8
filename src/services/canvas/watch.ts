import { basename } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { limits } from '../../limits.js';
import type { Clock } from '../../ports.js';

export interface CanvasWatch {
  /** Why changes are not seen; undefined while they are. */
  readonly fault: string | undefined;
  /** Begins anew; settles when changes are seen again, or it is known why not. */
  restart(): Promise<void>;
  stop(): void;
}

/** Tells of changes below a folder, once for all that come close together. */
export const watchCanvas = (root: string, clock: Clock, changed: () => void): CanvasWatch => {
  let fault: string | undefined;
  let watcher: FSWatcher | undefined;
  let isDue = false;
  let stopped = false;

  const tell = (): void => {
    if (isDue) return;
    isDue = true;
    clock.after(limits.canvas.settleMs, () => {
      isDue = false;
      if (!stopped) changed();
    });
  };
  const begin = (): Promise<void> =>
    new Promise((resolve) => {
      watcher = watch(root, {
        ignoreInitial: true,
        followSymlinks: false,
        depth: limits.canvas.depth,
        ignored: (path) => path !== root && basename(path).startsWith('.'),
      })
        .on('all', tell)
        .on('ready', () => {
          fault = undefined;
          resolve();
        })
        .on('error', (error) => {
          fault = (error as Error).message;
          resolve();
        });
    });
  const end = async (): Promise<void> => {
    const ending = watcher?.close();
    /* It may find something more that is wrong, and has just forgotten who listens. */
    watcher?.on('error', () => {});
    await ending;
  };

  void begin();
  return {
    get fault() {
      return fault;
    },
    restart: async () => {
      await end();
      if (!stopped) await begin();
    },
    stop: () => {
      stopped = true;
      void end();
    },
  };
};
