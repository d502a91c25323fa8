#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { exit } from '../errors.js';
import { version } from '../version.js';
import { explained, tell, whenNobodyReads } from './output.js';
import { addApprovals } from './program/approvals.js';
import { addAudit } from './program/audit.js';
import { addCanvas } from './program/canvas.js';
import { addDevices } from './program/devices.js';
import { addEvents } from './program/events.js';
import { addGateway } from './program/gateway.js';
import { addNodes } from './program/nodes.js';
import { addProof } from './program/proof.js';

/* The command line. `program/` says what there is; what a command does is loaded when it is used. */

const program = new Command('openclaw')
  .description('An access gateway that keeps a record of who was let in, and by whom.')
  .version(version)
  .showHelpAfterError('(add --help for the options)')
  .exitOverride();

addGateway(program);
addDevices(program);
addNodes(program);
addApprovals(program);
addCanvas(program);
addProof(addAudit(program));
addEvents(program);

whenNobodyReads('leave');
try {
  await program.parseAsync();
  process.exitCode ??= 0;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exit.done : exit.usage;
  else {
    const { code, words } = explained(error);
    for (const line of words) tell(line);
    process.exitCode = code;
  }
}
