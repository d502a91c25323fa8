import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';

/*
 * What comes from outside is checked here: frames, params, configuration. A thin layer over io-ts, whose own reporter prints
 * the value it rejects, and that value may be a token. Ours names the place and the rule, in the words that clients know
 * (protocol.md §1.5), and never looks at the value.
 */

export type Codec<A> = t.Type<A, A, unknown>;
export type TypeOf<C extends t.Any> = t.TypeOf<C>;

/** One rule that was broken, and where: keys from the root. */
export interface Problem {
  readonly path: readonly string[];
  readonly rule: string;
}

const codec = <A>(name: string, is: (u: unknown) => u is A, broken: (u: unknown) => readonly string[]): Codec<A> =>
  new t.Type(
    name,
    is,
    (u, context) => (is(u) ? t.success(u) : t.failures(broken(u).map((rule) => problem(context, rule)))),
    t.identity,
  );

const problem = (context: t.Context, rule: string): t.ValidationError => ({ value: undefined, context, message: rule });

const isText = (u: unknown): u is string => typeof u === 'string';

/** A string of 1 to `max` characters. */
export const text = (max = Number.MAX_SAFE_INTEGER): Codec<string> =>
  codec(
    'text',
    (u): u is string => isText(u) && u.length > 0 && u.length <= max,
    (u) => [
      !isText(u)
        ? 'must be string'
        : u === ''
          ? 'must NOT have fewer than 1 characters'
          : `must NOT have more than ${max} characters`,
    ],
  );

/** A string that may be empty. */
export const anyText = (max = Number.MAX_SAFE_INTEGER): Codec<string> =>
  codec(
    'anyText',
    (u): u is string => isText(u) && u.length <= max,
    (u) => [isText(u) ? `must NOT have more than ${max} characters` : 'must be string'],
  );

/** A string with a form of its own; `rule` says which. */
export const textThat = (fits: (text: string) => boolean, rule: string): Codec<string> =>
  codec(
    'textThat',
    (u): u is string => isText(u) && fits(u),
    (u) => [isText(u) ? rule : 'must be string'],
  );

export const integer = (min: number, max = Number.MAX_SAFE_INTEGER): Codec<number> =>
  codec(
    'integer',
    (u): u is number => Number.isSafeInteger(u) && (u as number) >= min && (u as number) <= max,
    (u) => [
      !Number.isSafeInteger(u) ? 'must be integer' : (u as number) < min ? `must be >= ${min}` : `must be <= ${max}`,
    ],
  );

export const flag: Codec<boolean> = codec(
  'flag',
  (u): u is boolean => typeof u === 'boolean',
  () => ['must be boolean'],
);

/** Anything JSON can say. */
export const anything: Codec<unknown> = codec(
  'anything',
  (_): _ is unknown => true,
  () => [],
);

/** One of a fixed set of strings. */
export const oneOf = <S extends string>(
  options: readonly S[],
  rules: readonly string[] = [`must be one of ${options.join(', ')}`],
): Codec<S> => {
  const set: ReadonlySet<unknown> = new Set(options);
  return codec(
    'oneOf',
    (u): u is S => set.has(u),
    () => rules,
  );
};

/** The same, or null. */
export const orNull = <A>(item: Codec<A>): Codec<A | null> => {
  const is = (u: unknown): u is A | null => u === null || item.is(u);
  return new t.Type('orNull', is, (u, context) => (u === null ? t.success(u) : item.validate(u, context)), t.identity);
};

export const listOf = <A>(item: Codec<A>, max = Number.MAX_SAFE_INTEGER): Codec<readonly A[]> => {
  const is = (u: unknown): u is readonly A[] => Array.isArray(u) && u.length <= max && u.every(item.is);
  const check: t.Validate<unknown, readonly A[]> = (u, context) => {
    if (is(u)) return t.success(u);
    if (!Array.isArray(u)) return t.failures([problem(context, 'must be array')]);
    if (u.length > max) return t.failures([problem(context, `must NOT have more than ${max} items`)]);
    return t.failures(u.flatMap((value, i) => broken(item.validate(value, t.appendContext(context, String(i), item)))));
  };
  return new t.Type('list', is, check, t.identity);
};

/** An object used as a map. */
export const mapOf = <A>(item: Codec<A>, max = Number.MAX_SAFE_INTEGER): Codec<Readonly<Record<string, A>>> => {
  const is = (u: unknown): u is Readonly<Record<string, A>> =>
    isObject(u) && Object.keys(u).length <= max && Object.values(u).every(item.is);
  const check: t.Validate<unknown, Readonly<Record<string, A>>> = (u, context) => {
    if (is(u)) return t.success(u);
    if (!isObject(u)) return t.failures([problem(context, 'must be object')]);
    if (Object.keys(u).length > max) return t.failures([problem(context, `must NOT have more than ${max} properties`)]);
    return t.failures(
      Object.entries(u).flatMap(([key, value]) => broken(item.validate(value, t.appendContext(context, key, item)))),
    );
  };
  return new t.Type('map', is, check, t.identity);
};

type Fields = Readonly<Record<string, t.Any>>;
type Closed<R extends Fields, O extends Fields> = { readonly [K in keyof R]: t.TypeOf<R[K]> } & {
  readonly [K in keyof O]?: t.TypeOf<O[K]> | undefined;
};

/** An object with these fields and no others: an unexpected field is an error, never ignored. */
export const closed = <R extends Fields, O extends Fields>(required: R, optional: O): Codec<Closed<R, O>> => {
  const known = new Map<string, t.Any>(Object.entries({ ...required, ...optional }));
  const needed = Object.keys(required);
  const is = (u: unknown): u is Closed<R, O> => {
    if (!isObject(u)) return false;
    for (const key in u) if (!(known.get(key)?.is(u[key]) ?? false)) return false;
    return needed.every((key) => Object.hasOwn(u, key));
  };
  const check: t.Validate<unknown, Closed<R, O>> = (u, context) => {
    if (is(u)) return t.success(u);
    if (!isObject(u)) return t.failures([problem(context, 'must be object')]);
    const keys = Object.keys(u);
    return t.failures([
      ...needed
        .filter((key) => !Object.hasOwn(u, key))
        .map((key) => problem(context, `must have required property '${key}'`)),
      ...keys.filter((key) => !known.has(key)).map((key) => problem(context, unexpected(key))),
      ...keys.flatMap((key) => {
        const field = known.get(key);
        return field === undefined ? [] : broken(field.validate(u[key], t.appendContext(context, key, field)));
      }),
    ]);
  };
  return new t.Type('closed', is, check, t.identity);
};

const isObject = (u: unknown): u is Record<string, unknown> => typeof u === 'object' && u !== null && !Array.isArray(u);

const broken = (validation: t.Validation<unknown>): t.Errors => (E.isLeft(validation) ? validation.left : []);

const NAME_CHARS = 64;
/** The name of a field comes from outside too. */
const unexpected = (key: string): string => `unexpected property '${key.slice(0, NAME_CHARS)}'`;

export const decode = <A>(type: Codec<A>, value: unknown): Either<readonly Problem[], A> => {
  if (type.is(value)) return E.right(value);
  const errors = broken(type.validate(value, [{ key: '', type }]));
  return E.left(
    errors.map(({ context, message = '' }) => ({ path: context.slice(1).map(({ key }) => key), rule: message })),
  );
};

/** The wording of the wire: JSON pointers, each message once, joined by `; `. */
export const rulesOf = (problems: readonly Problem[]): string => [...new Set(problems.map(ruleOf))].join('; ');

const ruleOf = ({ path, rule }: Problem): string => {
  if (path.length > 0) return `at ${path.map((key) => `/${pointer(key)}`).join('')}: ${rule}`;
  return rule.startsWith('unexpected') ? `at root: ${rule}` : rule;
};

const pointer = (key: string): string => key.slice(0, NAME_CHARS).replaceAll('~', '~0').replaceAll('/', '~1');
