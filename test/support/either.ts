import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';

/** What was answered, where the test is about something else. */
export const right = <A>(answer: Either<unknown, A>): A => {
  if (E.isRight(answer)) return answer.right;
  throw new Error(`refused: ${JSON.stringify(answer.left)}`);
};
