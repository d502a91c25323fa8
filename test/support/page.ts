import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/* The page that checks receipts, as text, and the verifier that is in it. */

export const PAGE = 'docs/check-receipt.html';
export const page = readFileSync(PAGE, 'utf8');

/** What the verifier answers. */
export interface PageVerdict {
  readonly ok: boolean;
  readonly passed: readonly string[];
  readonly step?: string;
  readonly why?: string;
  readonly proven: {
    readonly origin?: string;
    readonly size?: number;
    readonly index?: number;
    readonly event?: Uint8Array;
    readonly cosigned?: ReadonlyMap<string, number>;
    readonly since?: number;
  };
}

interface Verifier {
  readonly checkReceipt: (receipt: string, policy: string) => Promise<PageVerdict>;
  /** What it rests on and does not find. */
  readonly unfit: () => Promise<string | undefined>;
}

const SCRIPT = /<script type="module" id="(\w+)">([\s\S]*?)<\/script>/g;
const scripts = new Map([...page.matchAll(SCRIPT)].map(([, id = '', text = '']) => [id, text]));
const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];

/** The verifier of the page, run here. It leaves what it exports where the page's other script finds it. */
export const verifier = async (): Promise<Verifier> => {
  await import(`data:text/javascript,${encodeURIComponent(scripts.get('verifier') ?? '')}`);
  return globalThis as unknown as Verifier;
};

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The policy that allows what is in the page now and nothing else. */
export const contentSecurityPolicy = [
  `default-src 'none'`,
  `script-src ${[...scripts.values()].map(digest).join(' ')}`,
  `style-src ${digest(style)}`,
  `form-action 'none'`,
  `base-uri 'none'`,
  `trusted-types 'none'`,
  `require-trusted-types-for 'script'`,
].join('; ');
