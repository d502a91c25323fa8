import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import WebSocket from 'ws';
import { browserFor, chromiumMissing } from '../support/chromium.js';
import { connect, newKey } from '../support/device.js';
import { running, TOKEN } from '../support/gateway.js';
import { ALL } from '../support/people.js';

/* The canvas as people see it: in a browser. */

t.test('a page loads itself anew when its file changes', { skip: chromiumMissing }, async (t) => {
  const { port, state } = await running(t);
  const { wire } = await connect(port, newKey(), { auth: { token: TOKEN }, scopes: ALL });
  const { url } = (await wire.call('canvas.link', {})).payload;
  const waits = new WebSocket(url.replace('http:', 'ws:').replace('/__openclaw__/canvas/', '/__openclaw__/ws'));
  const seen = new Promise((resolve) => waits.once('message', resolve));
  const page = await (await browserFor(t)).newPage();
  const referrers: string[] = [];
  page.on('request', (request) => referrers.push(request.headers()['referer'] ?? ''));
  await page.goto(url);
  await page.getByText('There is no index.html').waitFor();
  const write = (name: string, text: string): void => writeFileSync(join(state, 'canvas', name), text);
  /* Who watches has to have looked at the folder first. */
  for (let told = false, n = 0; !told && n < 50; n++) {
    write('first.txt', `${n}`);
    told = await Promise.race([seen.then(() => true), sleep(200, false)]);
  }
  waits.terminate();
  const shown = (color: string) =>
    page.waitForFunction(`getComputedStyle(document.querySelector('h1')).color === '${color}'`);
  write('style.css', 'h1 { color: rgb(1, 2, 3) }');
  write('index.html', '<link rel="stylesheet" href="style.css"><h1>one</h1>');
  await page.getByRole('heading', { name: 'one' }).waitFor();
  write('index.html', '<link rel="stylesheet" href="style.css"><h1>two</h1>');
  await page.getByRole('heading', { name: 'two' }).waitFor();
  await shown('rgb(1, 2, 3)');
  write('style.css', 'h1 { color: rgb(7, 8, 9) }');
  await shown('rgb(7, 8, 9)');
  t.same([...new Set(referrers)], [''], 'the address, and what is in it, goes nowhere');
  wire.end();
});
