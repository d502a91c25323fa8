import type { HttpAnswer } from '../transport/transport.js';

/** What plain HTTP is answered: an object. */
export const json = (status: string, body: unknown, headers?: HttpAnswer['headers']): HttpAnswer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
  ...(headers === undefined ? {} : { headers }),
});

/** That it is not done, and why. */
export const refused = (status: string, type: string, message: string, headers?: HttpAnswer['headers']): HttpAnswer =>
  json(status, { error: { message, type } }, headers);

export const NOT_FOUND = refused('404 Not Found', 'not_found', 'nothing is served here');

export const NOT_ALLOWED = refused('405 Method Not Allowed', 'method_not_allowed', 'use GET', { allow: 'GET, HEAD' });
