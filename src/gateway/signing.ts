import { ConfigError } from '../config/file.js';
import type { Settings } from '../config/settings.js';
import type { Keys } from '../credentials/keys.js';
import { Checkpoints, type CheckpointsOptions } from '../ledger/checkpoints.js';
import { HighWaterMark } from '../ledger/high-water.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Entropy } from '../ports.js';

export interface SigningOptions {
  readonly ledger: Ledger;
  readonly keys: Keys;
  readonly settings: Pick<Settings, 'origin' | 'highWaterMark'>;
  readonly entropy: Entropy;
}

/** How this gateway signs for its log. */
export const signingFor = ({ ledger, keys, settings, entropy }: SigningOptions): CheckpointsOptions => ({
  ledger,
  newOrigin: () => settings.origin ?? `clawledger/${entropy.bytes(8).toString('hex')}`,
  signer: (origin) => keys.signer(origin),
  mark: settings.highWaterMark === undefined ? undefined : new HighWaterMark(settings.highWaterMark),
});

/** Begins to sign, or throws LogForked, LedgerDamaged or ConfigError. */
export const beginSigning = async (options: SigningOptions): Promise<Checkpoints> => {
  const checkpoints = await Checkpoints.begin(signingFor(options));
  const { origin } = options.settings;
  if (origin === undefined || origin === checkpoints.origin) return checkpoints;
  throw new ConfigError(
    `gateway.audit.origin: the log is called ${checkpoints.origin} since its first checkpoint, and cannot be called ${origin}`,
  );
};
