import { approvals } from './approvals.js';
import { archive } from './archive.js';
import { audit } from './audit.js';
import { canvas } from './canvas.js';
import { devices } from './devices.js';
import { erase } from './erase.js';
import { incident } from './incident.js';
import type { Family, Method } from './method.js';
import { nodes } from './nodes.js';
import { proof } from './proof.js';
import { stubs } from './stubs.js';
import { system } from './system.js';

const families: readonly Family[] = [
  system,
  devices,
  nodes,
  approvals,
  canvas,
  audit,
  incident,
  archive,
  proof,
  erase,
  stubs,
];

/** Every method that is served. */
export const methods: ReadonlyMap<string, Method> = new Map(families.flatMap((family) => Object.entries(family)));
