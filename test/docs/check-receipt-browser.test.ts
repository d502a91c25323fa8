import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { browserFor, chromiumMissing } from '../support/chromium.js';
import { ORIGIN, receiptOf } from '../support/log.js';
import { PAGE, type PageVerdict } from '../support/page.js';
import { CASES, GOOD, TRUSTING, WITNESSED } from '../support/receipts.js';
import { around } from '../support/tree.js';

/* The page as people use it: from the disk, in a browser. */

const skip = chromiumMissing;
const URL = pathToFileURL(resolve(PAGE)).href;

const browser = skip ? undefined : await browserFor(t);

/** Opens the page and looks at it. Nothing may leave it, and nothing go wrong in it. */
const inPage = (what: string, look: (t: Test, page: Page) => Promise<void>): void =>
  void t.test(what, { skip }, async (t) => {
    const page = await (browser as Browser).newPage();
    const asked: string[] = [];
    const wrong: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => wrong.push(message.text()));
    await page.goto(URL);
    await page.locator('#check:enabled').waitFor();
    await look(t, page);
    await page.close();
    t.same(asked, [URL], 'it asks for nothing');
    t.same(wrong, []);
  });

const receiptField = (page: Page) => page.getByRole('textbox', { name: 'Receipt' });
const policyField = (page: Page) => page.getByRole('textbox', { name: 'Whom you believe' });
const verdict = (page: Page) => page.getByRole('status');
const steps = (page: Page) => page.locator('.word').allTextContents();

const paste = async (page: Page, receipt: string, policy: string): Promise<void> => {
  await receiptField(page).fill(receipt);
  await policyField(page).fill(policy);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
};

inPage('what the browser itself computes', async (t, page) => {
  for (const { what, receipt, policy, verdict } of CASES) {
    const said = await page.evaluate(
      async ([receipt = '', policy = '']) => {
        const { checkReceipt } = globalThis as unknown as {
          checkReceipt: (...texts: string[]) => Promise<PageVerdict>;
        };
        const { ok, step } = await checkReceipt(receipt, policy);
        return ok ? 'good' : step;
      },
      [receipt, policy],
    );
    t.equal(said, verdict, what);
  }
});

const event = {
  seq: 654_322,
  at: 1_773_479_520_250,
  type: 'pairing.approved',
  v: 1,
  subject: 'device:22ebf820d324',
  data: { name: '<img src=x onerror=alert(1)>', note: 'left\u202eright' },
};
const receipt = receiptOf(around(654_321, Buffer.from(JSON.stringify(event))), 654_321, 1_000_000, 1, 3);

inPage('a receipt that is pasted, with the keyboard alone', async (t, page) => {
  await paste(page, receipt, WITNESSED);
  await verdict(page).waitFor();
  t.match(await verdict(page).textContent(), `This receipt is goodEvent 654322 is in the log ${ORIGIN}`);
  t.same(await steps(page), ['passed', 'passed', 'passed', 'passed', 'passed']);
  const facts = await page.locator('#event').textContent();
  for (const fact of [
    'pairing.approved',
    'device:22ebf820d324',
    '2026-03-14 09:12:00.250 UTC',
    '1,000,000 events',
    'w3, 2026-03-14 09:13:00 UTC',
  ])
    t.match(facts, fact);
  t.match(facts, '"<img src=x onerror=alert(1)>"', 'what looks like HTML is text');
  t.match(facts, '"left\\u{202e}right"', 'what turns text around is written out');
  t.equal(await page.locator('img').count(), 0);
  t.match(
    await page.locator('#meaning').textContent(),
    /w1 and w3 cosigned this state of the log, enough for your policy at 2026-03-14 09:13:00 UTC/,
  );
  t.equal(await page.evaluate('document.activeElement.id'), 'result', 'readers are taken to the result');
});

inPage('nobody asked for is not the same as somebody found', async (t, page) => {
  await paste(page, receiptOf(around(0, Buffer.from('no JSON')), 0, 1), TRUSTING);
  await verdict(page).waitFor();
  t.same(await steps(page), ['passed', 'passed', 'passed', 'not asked for', 'passed']);
  t.match(await page.locator('#meaning').textContent(), 'Nobody else has vouched for it');
  t.match(await page.locator('#event').textContent(), 'no JSON');
});

inPage('a receipt that fails shows where and why, and not what it holds', async (t, page) => {
  await paste(page, receipt.replace('\n1000000\n', '\n1000001\n'), WITNESSED);
  t.match(
    await verdict(page).textContent(),
    /This receipt proves nothing.*“log signature”: the signature does not verify/,
  );
  t.same(await steps(page), ['passed', 'passed', 'failed', 'not reached', 'not reached']);
  t.notOk(await page.locator('#event').isVisible());
  t.match(await page.locator('#meaning').textContent(), 'What now');

  await policyField(page).press('End');
  await policyField(page).press('x');
  t.notOk(await page.locator('#result').isVisible(), 'no verdict stands beside something else than what it was about');

  await paste(page, receipt, 'quorum all');
  t.match(
    await verdict(page).textContent(),
    /The policy cannot be readLine 1: no witness or group above is called all/,
  );
  await paste(page, receipt, '');
  await page.getByText('missing').waitFor();
  t.match(await page.getByRole('alert').allTextContents(), ['', 'The policy is missing.', '']);
});

/** Files dropped onto an element, as the browser hands them over. */
const drop = async (page: Page, onto: string, ...files: readonly [name: string, content: string][]): Promise<void> => {
  const dataTransfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer();
    for (const [name, content] of ${JSON.stringify(files)}) transfer.items.add(new File([content], name));
    return transfer;
  })()`);
  await page.dispatchEvent(onto, 'drop', { dataTransfer });
};

inPage('files are dropped in any order, and chosen', async (t, page) => {
  await drop(page, 'body', ['policy.txt', WITNESSED], ['event-124.tlog-proof', GOOD]);
  await page.getByText('This receipt is good').waitFor();

  await drop(page, '#policy', ['trust', TRUSTING]);
  await page.getByText('not asked for').waitFor();

  const choose = (name: string, buffer: Buffer) =>
    page.getByLabel('Choose the file of the receipt').setInputFiles({ name, mimeType: '', buffer });
  await choose('crlf.tlog-proof', Buffer.from(GOOD.replaceAll('\n', '\r\n')));
  await page.getByText('This receipt proves nothing').waitFor();
  t.match(await verdict(page).textContent(), 'no empty line', 'a file is checked as it is on the disk');

  for (const no of [Buffer.alloc(1_200_001, 'x'), Buffer.of(0xff)]) {
    await choose('no.tlog-proof', no);
    await page.getByText('no.tlog-proof is no receipt').waitFor();
    t.notOk(await page.locator('#result').isVisible());
    t.equal(await receiptField(page).inputValue(), '');
    await choose('good', Buffer.from(GOOD));
    await page.getByText('This receipt is good').waitFor();
  }
});

t.test('where something is missing the page says so, and says nothing else', { skip }, async (t) => {
  const context = await (browser as Browser).newContext();
  await context.addInitScript(
    "SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError'))",
  );
  const page = await context.newPage();
  await page.goto(URL);
  await page.getByText('This browser lacks Ed25519, which is in Chromium 137').waitFor();
  t.ok(await page.getByRole('button', { name: 'Check' }).isDisabled());
  await drop(page, 'body', ['policy', WITNESSED], ['a.tlog-proof', GOOD]);
  t.notOk(await page.locator('#result').isVisible());
});
