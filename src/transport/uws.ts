import type uWebSockets from 'uWebSockets.js';

export type Uws = typeof uWebSockets;

/* Two releases of one library: the newer needs glibc 2.38 and Node 22, the older runs on Node 20 and on older systems. */
const RELEASES = ['uWebSockets.js', 'uWebSockets.js-compat'] as const;

/** No release of uWebSockets.js loads here. */
export class NoTransport extends Error {
  override readonly name = 'NoTransport';
}

/** The newest release that loads on this machine. */
export const loadUws = async (): Promise<Uws> => {
  for (const release of RELEASES) {
    try {
      return ((await import(release)) as { default: Uws }).default;
    } catch {
      // The next one may load; why none did is said below in terms of what would.
    }
  }
  const { glibcVersionRuntime: glibc = 'none' } = (
    process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  ).header;
  throw new NoTransport(
    `uWebSockets.js does not load on Node ${process.versions.node}, ${process.platform} ${process.arch}, glibc ${glibc}: use Node 20 or 22 with glibc 2.28 or newer, or Node 24 with glibc 2.38 or newer, and run npm install with that Node`,
  );
};
