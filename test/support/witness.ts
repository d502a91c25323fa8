import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { openCheckpoint } from '../../src/proof/checkpoint.js';
import { cosign } from '../../src/proof/cosignature.js';
import { EMPTY_ROOT } from '../../src/proof/merkle.js';
import { keyType, signatureLine, signedBy, type Vkey, vkeyOf, vkeyText } from '../../src/proof/note.js';
import { verifyConsistency } from '../../src/proof/tree-proof.js';
import { right } from './either.js';
import { keyOf } from './tree.js';

/* A witness as its specification wants it (C2SP tlog-witness), for one log; and one that does whatever else it is told to. */

export interface Asked {
  readonly old: number;
  readonly size: number;
  readonly status: number;
}

type Misbehaviour = (response: ServerResponse, body: string) => void;

export interface WitnessServer {
  readonly url: string;
  readonly vkey: Vkey;
  /** As it stands in openclaw.json. */
  readonly setting: { readonly key: string; readonly url: string };
  /** What it was asked and answered, in order. */
  readonly asked: Asked[];
  /** The log it has seen: set, it is as if it had cosigned that. */
  seen: { size: number; root: Buffer };
  /** Requests it has not answered yet. */
  open: number;
  /** Instead of what it should do. */
  misbehave: Misbehaviour | undefined;
}

export const witnessServer = async (t: Test, log: () => Vkey, n = 1): Promise<WitnessServer> => {
  const name = `witness.example/w${n}`;
  const key = keyOf(100 + n);
  const vkey = vkeyOf(name, keyType.cosignature, key);
  const server = createServer((request, response) => {
    let body = '';
    witness.open++;
    response.once('close', () => witness.open--);
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      if (witness.misbehave !== undefined) {
        witness.asked.push({ old: -1, size: -1, status: -1 });
        return witness.misbehave(response, body);
      }
      const { old, size, status, said } = judged(body);
      witness.asked.push({ old, size, status });
      response.writeHead(request.method === 'POST' && request.url === '/add-checkpoint' ? status : 404).end(said);
    });
  });
  const judged = (body: string) => {
    const end = body.indexOf('\n\n');
    const [first = '', ...hashes] = body.slice(0, end).split('\n');
    const old = Number(first.replace(/^old /, ''));
    const { note, checkpoint } = right(openCheckpoint(body.slice(end + 2)));
    const { size, root } = checkpoint;
    const answer = (status: number, said = '') => ({ old, size, status, said });
    if (!signedBy(note, log())) return answer(403);
    if (old > size) return answer(400);
    if (old !== witness.seen.size) return answer(409, `${witness.seen.size}\n`);
    if (old === size && !root.equals(witness.seen.root)) return answer(409);
    const proof = hashes.map((hash) => Buffer.from(hash, 'base64'));
    if (!verifyConsistency(old, size, witness.seen.root, root, proof)) return answer(422);
    witness.seen = { size, root };
    return answer(200, signatureLine(cosign(note.text, Date.now(), name, key)));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const witness: WitnessServer = {
    url,
    vkey,
    setting: { key: vkeyText(vkey), url },
    asked: [],
    seen: { size: 0, root: EMPTY_ROOT },
    open: 0,
    misbehave: undefined,
  };
  return witness;
};
