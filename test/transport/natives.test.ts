import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { canonicalAddress } from '../../src/transport/address.js';
import { loadUws } from '../../src/transport/uws.js';

/*
 * The server library comes as compiled code from a mirror of its author's releases. What is installed is pinned to the byte:
 * a package that was replaced under its version fails here before it serves anybody.
 */

/** Package and version of the compiled code → SHA-256 of its uws.node, for the platform the tests run on. */
const PINNED: Readonly<Record<string, string>> = {
  'linux-x64-20@20.51.4': '4d482084b665c225892917ee0e9b9572d89eaa6f3dc200ff5e536293d3456c89',
  'linux-x64-22@20.51.4': 'f687e7c3666b5cca9d355184bbf07bb0550f5ba0d3ffd453248ccfec552dde6c',
  'linux-x64-23@20.51.4': 'ed86f2297e70febcc89138818c2ca503dad29783bc4bba2aa7cc6d9beba70739',
  'linux-x64-22@20.69.0': '34d235864db874fbf3aeafd48b63f6fb80f61fb584a86f1e5f7b0291dbd7a3d4',
  'linux-x64-24@20.69.0': '177efdc682425d754474bd30f9586c487fa6694f790f3406a23885d0e61c07a0',
  'linux-x64-26@20.69.0': '604375741bf77780b34e7e299af9274cb1f56d73732201d19e3d8d8448176795',
};

/* npm hoists one version of a platform's package and nests the other beside the release that asked for it. */
const HOMES = [
  'node_modules',
  'node_modules/uWebSockets.js/node_modules',
  'node_modules/uWebSockets.js-compat/node_modules',
];

const installed = HOMES.map((home) => join(home, '@uwsjs'))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));

const pinnedHere = process.platform === 'linux' && process.arch === 'x64';

t.test(
  'the compiled code of uWebSockets.js is what was reviewed',
  { skip: pinnedHere ? false : 'no digest is pinned for this platform' },
  async (t) => {
    t.ok(installed.length > 0);
    for (const folder of installed) {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      const release = `${name?.replace('@uwsjs/', '')}@${version}`;
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, 'uws.node')))
        .digest('hex');
      t.equal(digest, PINNED[release], release);
    }
  },
);

t.test('one of the two releases loads here', async (t) => {
  t.type((await loadUws()).App, 'function');
});

t.test('addresses have one form', async (t) => {
  const of = (...bytes: readonly number[]) => canonicalAddress(Buffer.from(bytes));
  t.equal(of(127, 0, 0, 1), '127.0.0.1');
  t.equal(of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 9), '10.0.0.9', 'IPv4 in IPv6 is IPv4');
  t.equal(of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), '::1');
  t.equal(of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7), '2001:db8::7');
  t.equal(of(), '');
});
