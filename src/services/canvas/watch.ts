import { basename } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { limits } from '../../limits.js';
import type { Clock } from '../../ports.js';

export interface CanvasWatch {
  /** Why changes are not seen; undefined while they are. */
  readonly fault: string | undefined;
  /** Begins anew. */
  restart(): Promise<void>;
  stop(): void;
}

/** Tells of changes below a folder, once for all that come close together. */
export const watchCanvas = (root: string, clock: Clock, changed: () => void): CanvasWatch => {
  let fault: string | undefined;
  let watcher: FSWatcher | undefined;
  let due: (() => void) | undefined;
  const tell = (): void => {
    due?.();
    due = clock.after(limits.canvas.settleMs, changed);
  };
  const begin = (): void => {
    fault = undefined;
    watcher = watch(root, {
      ignoreInitial: true,
      followSymlinks: false,
      depth: limits.canvas.depth,
      ignored: (path) => path !== root && basename(path).startsWith('.'),
    })
      .on('all', tell)
      .on('error', (error) => {
        fault = (error as Error).message;
      });
  };
  begin();
  return {
    get fault() {
      return fault;
    },
    restart: async () => {
      await watcher?.close();
      begin();
    },
    stop: () => {
      due?.();
      void watcher?.close();
    },
  };
};
