import { createHash } from 'node:crypto';

/*
 * What exactly would be run. An approval is bound to it: the words of the command, where, with which environment, for which agent
 * (protocol.md §8.9). Of what a caller says only known fields go on to a node: a field by which a node is told that something was approved
 * comes from the gateway alone (CVE-2026-28466).
 */

export interface Plan {
  readonly argv: readonly string[];
  readonly cwd: string | null;
  readonly rawCommand: string | null;
  readonly agentId: string | null;
  readonly sessionKey: string | null;
}

/** A plan without what only describes it, and a digest of the environment that would be added. */
export interface Binding {
  readonly argv: readonly string[];
  readonly cwd: string | null;
  readonly agentId: string | null;
  readonly sessionKey: string | null;
  readonly envHash: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const said = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : null;

const words = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Undefined if there is nothing in it to run. */
export const planIn = (value: unknown): Plan | undefined => {
  if (!isFields(value)) return undefined;
  const argv = words(value['argv']);
  if (argv.length === 0) return undefined;
  return {
    argv,
    cwd: said(value['cwd']),
    rawCommand: said(value['rawCommand']),
    agentId: said(value['agentId']),
    sessionKey: said(value['sessionKey']),
  };
};

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const envHash = (env: unknown): string | null => {
  if (!isFields(env)) return null;
  const entries = Object.entries(env)
    .map(([name, value]) => [name.trim(), value] as const)
    .filter(([name, value]) => ENV_NAME.test(name) && typeof value === 'string')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? null : createHash('sha256').update(JSON.stringify(entries)).digest('hex');
};

export const bindingOf = ({ argv, cwd, agentId, sessionKey }: Omit<Plan, 'rawCommand'>, env: unknown): Binding => ({
  argv,
  cwd,
  agentId,
  sessionKey,
  envHash: envHash(env),
});

const PASSED_ON = [
  'command',
  'rawCommand',
  'cwd',
  'env',
  'timeoutMs',
  'needsScreenRecording',
  'agentId',
  'sessionKey',
  'runId',
];

/** The arguments of `system.run` as a node may be told them, and the approval that the caller claims. */
export interface Run {
  readonly params: Fields;
  readonly claimsApproval: boolean;
  readonly runId: string | undefined;
}

/** Undefined if they are no arguments at all. */
export const runIn = (params: unknown): Run | undefined => {
  if (!isFields(params)) return undefined;
  const claims =
    params['approved'] === true || ['allow-once', 'allow-always'].includes(String(params['approvalDecision']));
  return {
    params: Object.fromEntries(Object.entries(params).filter(([name]) => PASSED_ON.includes(name))),
    claimsApproval: claims,
    runId: said(params['runId']) ?? undefined,
  };
};

/** The same, but what is run is what was approved, and the node is told so. */
export const asApproved = ({ params }: Run, plan: Plan, decision: string): Fields => {
  const { command: _, rawCommand: __, cwd: ___, agentId: ____, sessionKey: _____, ...rest } = params;
  const { argv, ...where } = plan;
  const known = Object.entries(where).filter(([, value]) => value !== null);
  return { ...rest, command: argv, ...Object.fromEntries(known), approved: true, approvalDecision: decision };
};
