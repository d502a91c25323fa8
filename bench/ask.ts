import * as E from 'fp-ts/lib/Either.js';
import { evidenceIn } from '../src/forensics/evidence.js';
import { answerTo, type QuestionName } from '../src/forensics/questions.js';
import { Store } from '../src/ledger/store.js';

/* One question in a process of its own, as the gateway asks it: `node ask.js <log> <question> <params>`; how long, and how much memory. */

const [, , path = '', question = 'who', params = '{}'] = process.argv;
const begun = performance.now();
const store = new Store({ path, readOnly: true });
const answered = answerTo(
  question as QuestionName,
  JSON.parse(params),
  evidenceIn(store, Date.now(), { autoApproveLocal: true }),
);
const ms = performance.now() - begun;
if (E.isLeft(answered)) throw new Error(answered.left.message);
const text = JSON.stringify(answered.right.answer);
console.log(JSON.stringify({ ms, peakBytes: process.resourceUsage().maxRSS * 1024, bytes: text.length }));
await store.close();
