import * as E from 'fp-ts/lib/Either.js';
import { type Codec, decode, rulesOf } from '../codec.js';
import { CallRefused } from './client.js';

/** Params as a gateway would have taken them, or its refusal. */
export const fittingParams = (method: string, codec: Codec<unknown>, params: unknown, invalid?: string): unknown => {
  const fitting = decode(codec, JSON.parse(JSON.stringify(params ?? {})));
  if (E.isRight(fitting)) return fitting.right;
  const message = invalid ?? `invalid ${method} params: ${rulesOf(fitting.left)}`;
  throw new CallRefused(method, { code: 'INVALID_REQUEST', message });
};
