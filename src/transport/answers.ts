import type { HttpResponse } from 'uWebSockets.js';
import { isSource, type Outgoing } from './outgoing.js';
import type { HttpAnswer } from './transport.js';

/* Answers over plain HTTP, as the library wants them. */

/** Nobody may be there any more when it is. */
export const whenSaid = (res: HttpResponse, said: Promise<HttpAnswer>, respond: (said: HttpAnswer) => void): void => {
  let gone = false;
  res.onAborted(() => {
    gone = true;
  });
  const end = (answer: HttpAnswer): void => {
    if (!gone) respond(answer);
    else if (isSource(answer.body)) answer.body.close();
  };
  said.then(end, () => end(FAILED));
};

export const send = (res: HttpResponse, said: HttpAnswer, outgoing: Outgoing, headOnly: boolean): void => {
  const { body } = said;
  if (headOnly || typeof body === 'string') return answer(res, said, headOnly);
  if (!isSource(body) && !outgoing.hasRoom(body.length)) return answer(res, NO_ROOM, false);
  begin(res, said, () => {
    if (isSource(body)) outgoing.stream(res, body);
    else outgoing.send(res, body);
  });
};

const FAILED: HttpAnswer = {
  status: '500 Internal Server Error',
  type: 'text/plain; charset=utf-8',
  body: 'this could not be read\n',
};

const NO_ROOM: HttpAnswer = {
  status: '503 Service Unavailable',
  type: 'text/plain; charset=utf-8',
  body: 'too much is on its way to others; try again shortly\n',
  headers: { 'retry-after': '1' },
};

export const answer = (res: HttpResponse, said: HttpAnswer, headOnly: boolean): void => {
  const { status, body } = said;
  if (isSource(body)) body.close();
  begin(res, said, () => {
    /* Told the length itself, the older release writes the answer, holds it for none, and ends the process. */
    if (headOnly) res.writeHeader('content-length', String(lengthOf(body))).endWithoutBody();
    else if (!isSource(body)) res.end(body, status.startsWith('5') || status.startsWith('4'));
  });
};

const lengthOf = (body: HttpAnswer['body']): number => (isSource(body) ? body.bytes : Buffer.byteLength(body));

/** Status and headers, and then the rest of it. */
const begin = (res: HttpResponse, { status, type, headers = {} }: HttpAnswer, rest: () => void): void => {
  res.cork(() => {
    res.writeStatus(status).writeHeader('content-type', type).writeHeader('x-content-type-options', 'nosniff');
    for (const [name, value] of Object.entries({ 'cache-control': 'no-store', ...headers }))
      res.writeHeader(name, value);
    rest();
  });
};
