import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { connect, newKey, REMOTE } from '../support/device.js';
import { running, TOKEN } from '../support/gateway.js';

/* No credential is ever in the log, a view, a line of text, an answer to somebody else, or a file that is not meant for it. */

t.test('what was shown, right or wrong, is nowhere', async (t) => {
  const { port, state, lines, stop } = await running(t, {
    config: { auth: { mode: 'token', password: 'a-configured-password-9f' } },
  });
  const boss = (
    await connect(port, newKey(), { scopes: ['operator.admin', 'operator.pairing'], auth: { token: TOKEN } })
  ).wire;
  const wrong = {
    token: 'a-guessed-token-52aa',
    password: 'a-guessed-password-77bc',
    deviceToken: 'a-guessed-device-token-1d0e',
  };
  for (const auth of [{ token: wrong.token }, { password: wrong.password }, { deviceToken: wrong.deviceToken }, wrong])
    (await connect(port, newKey(), { auth }, REMOTE)).wire.end();
  const phone = newKey();
  const asked = await connect(port, phone, { auth: { token: TOKEN } }, REMOTE);
  await boss.call('device.pair.approve', { requestId: asked.answer.error.details.requestId });
  const tokens: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { wire, answer } = await connect(port, phone, { auth: { token: TOKEN } }, REMOTE);
    tokens.push(answer.payload.auth.deviceToken);
    wire.end();
    await boss.call('device.token.rotate', { deviceId: phone.id, role: 'operator' });
  }
  await connect(port, phone, { auth: { deviceToken: tokens[0] ?? '' } }, REMOTE);
  for (const method of [
    'device.pair.list',
    'config.get',
    'status',
    'health',
    'system-presence',
    'logs.tail',
    'node.list',
  ])
    await boss.call(method);
  await stop();

  const secrets = [TOKEN, 'a-configured-password-9f', ...Object.values(wrong), ...tokens];
  t.equal(new Set(secrets).size, 7);
  const own = boss.frames.find(({ id }) => id === 'c').payload.auth.deviceToken;
  const told = boss.frames
    .map((frame) => JSON.stringify(frame))
    .join('\n')
    .replaceAll(own, '');
  const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  t.ok(files.some(({ name }) => name === 'data.mdb') && files.some(({ name }) => name === 'gateway.log'));
  for (const secret of [...secrets, own]) {
    t.notOk(
      lines.some((line) => line.includes(secret)),
      'not on the terminal',
    );
    t.notOk(told.includes(secret), 'not told to others');
    for (const { parentPath, name } of files) {
      if (name === 'openclaw.json') continue;
      t.notOk(readFileSync(join(parentPath, name)).includes(secret), `not in ${name}`);
    }
  }
});
