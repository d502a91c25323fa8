import { join } from 'node:path';
import { GATEWAY } from '../../projections/index.js';
import type { Settings } from '../config/settings.js';
import type { Checkpoints } from '../ledger/checkpoints.js';
import type { Ledger } from '../ledger/ledger.js';
import { limits } from '../limits.js';
import type { Logging } from '../logging/logging.js';
import { fileBytes, machineHere, tooLow } from './ceilings.js';
import type { Parts } from './parts.js';

/* What people are told at a start beside that it starts: what is lost, missing, too low, or open to all. */

/** The past that is lost, or only away. The gateway decides without it. */
export const noteUnreadable = ({ unreadable }: Ledger, log: Logging): void => {
  for (const { message } of unreadable.slice(0, limits.archive.named)) log.gateway.warn(message);
  const more = unreadable.length - limits.archive.named;
  if (more > 0) log.gateway.warn(`${more} more archive segments cannot be read`);
};

/** Whether it would be noticed that an older copy of the log was put in its place. */
export const noteMark = (checkpoints: Checkpoints, { highWaterMark }: Settings, log: Logging): void => {
  if (highWaterMark === undefined)
    log.gateway.warn(
      'no high-water mark (gateway.audit.highWaterMark): an older copy of the log put in its place would go unnoticed',
    );
  else if (checkpoints.unmarked && checkpoints.latest !== undefined)
    log.gateway.info(`the high-water mark ${highWaterMark} begins with this log`);
};

/** What the machine gives it less of than it may come to need. */
export const noteCeilings = ({ views }: Ledger, { workers, paths }: Settings, log: Logging): void => {
  const logBytes = fileBytes(join(paths.ledger, 'data.mdb'));
  for (const warning of tooLow(machineHere(), { workers, pairedDevices: views.paired.size(), logBytes }))
    log.gateway.warn(warning);
};

/** Who may read. */
export const noteTiles = ({ tiles }: Settings, log: Logging): void => {
  if (tiles)
    log.gateway.info(
      'the log is served at /checkpoint and /tile (gateway.audit.tiles): whoever reaches the port can read it',
    );
};

/** The run before this one was cut short. What it had answered is in the log: that is what is said, and up to where. */
export const noteUncleanEnd = ({ ledger, log }: Parts): void => {
  const boot = ledger.views.gateway.get(GATEWAY)?.boot;
  const last = ledger.log.event(ledger.log.position);
  if (boot === undefined || boot.stopped || last === undefined) return;
  const open = ledger.views.connected.size();
  log.gateway.warn(
    `the last run ended without a stop; its record ends with event ${last.seq} at ${new Date(last.at).toISOString()}. Nothing that was answered is lost; ${open === 1 ? '1 session was' : `${open} sessions were`} open`,
  );
};
