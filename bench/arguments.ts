import { parseArgs } from 'node:util';

/* What was said after `npm run bench --`. */

/** Said wrong, or cannot be done here: what, and the one thing to do. Nothing has started. */
export class Unable extends Error {
  override readonly name = 'Unable';
}

export interface Arguments {
  readonly names: readonly string[];
  readonly peer: string | undefined;
  readonly quick: boolean;
  readonly keep: boolean;
  readonly list: boolean;
  readonly numbers: Readonly<Partial<Record<NumberName, number>>>;
}

/** From least to most. */
const NUMBERS = {
  workers: [1, 64],
  minutes: [0.01, 1440],
  connections: [1, 1_000_000],
  devices: [1, 100_000],
  processes: [1, 64],
  turns: [1, 20],
} as const;

export type NumberName = keyof typeof NUMBERS;
const numberNames = Object.keys(NUMBERS) as readonly NumberName[];

const FLAGS = ['quick', 'keep', 'list', 'help'] as const;

export const OPTIONS = ['peer', ...numberNames, ...FLAGS].map((name) => `--${name}`).join(', ');

export const argumentsIn = (said: readonly string[], known: readonly string[]): Arguments => {
  const { values, positionals } = parsed(said);
  const strange = positionals.filter((name) => !known.includes(name));
  if (strange.length > 0)
    throw new Unable(`there is no scenario ${strange.join(', ')}: take some of ${known.join(', ')}`);
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const numbers = numberNames.flatMap((name) => {
    const given = text(name);
    return given === undefined ? [] : [[name, numberIn(name, given)] as const];
  });
  return {
    names: positionals,
    peer: text('peer'),
    quick: values['quick'] === true,
    keep: values['keep'] === true,
    list: values['list'] === true || values['help'] === true,
    numbers: Object.fromEntries(numbers),
  };
};

const parsed = (
  said: readonly string[],
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } => {
  try {
    return parseArgs({
      args: [...said],
      allowPositionals: true,
      options: {
        peer: { type: 'string' },
        ...Object.fromEntries(numberNames.map((name) => [name, { type: 'string' as const }])),
        ...Object.fromEntries(FLAGS.map((name) => [name, { type: 'boolean' as const }])),
      },
    });
  } catch (error) {
    throw new Unable(`${(error as Error).message.split('. ')[0]}: the options are ${OPTIONS}`);
  }
};

const numberIn = (name: NumberName, given: string): number => {
  const [least, most] = NUMBERS[name];
  const value = Number(given);
  const whole = name === 'minutes' || Number.isInteger(value);
  if (given.trim() === '' || !whole || !(value >= least && value <= most))
    throw new Unable(
      `--${name} ${given} is out of range: say ${name === 'minutes' ? 'a' : 'a whole'} number from ${least} to ${most.toLocaleString('en')}`,
    );
  return value;
};
