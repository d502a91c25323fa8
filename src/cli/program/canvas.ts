import type { Command } from 'commander';
import { type Common, connecting, reaching } from './options.js';

/** openclaw canvas … */
export const addCanvas = (program: Command): void => {
  const canvas = program.command('canvas').description('look at the canvas of the gateway');
  connecting(canvas.command('link').description('make a link to it for a browser')).action(async (options: Common) => {
    const { link } = await import('../commands/canvas.js');
    await link(reaching(options), options.json === true);
  });
};
