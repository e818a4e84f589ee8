/** S07, S08, S15, S16, S41: the token travels in one header only; every fault of authentication looks the same. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { formatToken, parseToken, type Token } from '../../core/token';
import { SUBPROTOCOL } from '../../core/wire';
import { registerClient, startHub, type HubProcess, type RegisteredClient } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';
import { rawSession, upgradeStatus } from '../support/raw-session';

const token = (text: string): Token => {
  const parsed = parseToken(text);
  assert.ok(parsed);
  return parsed;
};

describe('S07, S08: authentication', function () {
  this.timeout(120_000); // Guesses are answered late.
  let hub: HubProcess;
  let client: RegisteredClient;

  /** All bytes that the hub answers to an upgrade request with these lines. */
  const upgradeBytes = (lines: readonly string[], target = '/'): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = '';
      const socket = net.connect(hub.port, '127.0.0.1', () => {
        socket.write(
          [
            `GET ${target} HTTP/1.1`,
            `Host: 127.0.0.1:${hub.port}`,
            'Connection: Upgrade',
            'Upgrade: websocket',
            'Sec-WebSocket-Version: 13',
            'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
            `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
            ...lines,
            '',
            '',
          ].join('\r\n'),
        );
      });
      socket.setEncoding('utf8').on('data', (text: string) => {
        answer += text;
        if (answer.startsWith('HTTP/1.1 101')) socket.destroy();
      });
      socket.once('close', () => resolve(answer));
      socket.once('error', reject);
    });

  before(async () => {
    hub = await startHub();
    client = await registerClient(hub, 'alpha');
  });
  after(async () => {
    await hub.stop();
    removeTempDirs();
  });

  it('every fault is answered with the same bytes', async () => {
    const good = token(client.token);
    const admin = token(hub.adminToken);
    const wrongCheck = client.token.slice(0, -1) + (client.token.endsWith('0') ? '1' : '0');
    const control = JSON.parse(fs.readFileSync(path.join(hub.dataDir, 'hub.json'), 'utf8')) as {
      control_token: string;
    };
    const faults: readonly (readonly string[])[] = [
      [],
      ['Authorization: Bearer'],
      ['Authorization: Bearer '],
      [`Authorization: ${client.token}`],
      [`Authorization: bearer ${client.token}`],
      [`Authorization: Basic ${client.token}`],
      [`Authorization: Bearer  ${client.token}`],
      [`Authorization: Bearer ${wrongCheck}`],
      [`Authorization: Bearer ${formatToken({ ...good, secret: admin.secret })}`],
      [`Authorization: Bearer ${formatToken({ ...good, id: 'f'.repeat(16) })}`],
      [`Authorization: Bearer ${formatToken({ ...good, kind: 'adm' })}`],
      [`Authorization: Bearer ${control.control_token}`],
      [`Cookie: token=${client.token}`],
      [`X-Token: ${client.token}`],
    ];
    const answers = await Promise.all(faults.map((lines) => upgradeBytes(lines)));
    assert.match(answers[0] ?? '', /^HTTP\/1\.1 401 Unauthorized\r\n/);
    assert.deepEqual([...new Set(answers)], [answers[0]]);
    assert.match(await upgradeBytes([`Authorization: Bearer ${client.token}`]), /^HTTP\/1\.1 101 /);
  });

  it('a token in the URL is not looked at, and stands in no log', async () => {
    const answer = await upgradeBytes([], `/?token=${client.token}`);
    assert.match(answer, /^HTTP\/1\.1 401 /);
    const secret = token(client.token).secret;
    const kept = fs
      .readdirSync(hub.dataDir)
      .map((name) => fs.readFileSync(path.join(hub.dataDir, name), 'utf8'))
      .concat(hub.process.stderr(), hub.process.stdout());
    assert.ok(kept.every((text) => !text.includes(secret)));
  });

  it('a wrong path or subprotocol says so, after the token was checked', async () => {
    assert.equal(await upgradeStatus(hub.address, { token: client.token, protocols: ['other.v9'] }), 426);
    assert.equal(await upgradeStatus(hub.address, { token: client.token, path: '/else' }), 404);
    assert.equal(await upgradeStatus(hub.address, { token: 'nonsense', protocols: ['other.v9'] }), 401);
  });

  it('guessing is answered late, while a valid token from the same address is not (S16)', async () => {
    for (let i = 0; i < 12; i++) await upgradeStatus(hub.address, { token: 'guess' });
    const begun = performance.now();
    const guess = upgradeStatus(hub.address, { token: 'guess' }).then(() => performance.now() - begun);
    const session = await rawSession(hub.address, client.token);
    await session.next((message) => message['kind'] === 'hello');
    const valid = performance.now() - begun;
    session.ws.terminate();
    const late = await guess;
    assert.ok(late >= 950, `a guess was answered after ${late} ms`);
    assert.ok(valid < late, `the valid token took ${valid} ms`);
    const audit = fs.readFileSync(path.join(hub.dataDir, 'audit.jsonl'), 'utf8');
    assert.ok(audit.includes('"auth_failed"') && audit.includes('"auth_failures_suppressed"'));
  });

  it('health says ok, degraded and instance to anyone; details need a token (S41)', async () => {
    const get = (target: string, bearer?: string): Promise<{ status: number; body: string }> =>
      new Promise((resolve, reject) => {
        const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
        http
          .get({ host: '127.0.0.1', port: hub.port, path: target, headers }, (response) => {
            let body = '';
            response.setEncoding('utf8').on('data', (text: string) => (body += text));
            response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
          })
          .once('error', reject);
      });
    const health = await get('/healthz');
    assert.deepEqual(Object.keys(JSON.parse(health.body) as object), ['ok', 'degraded', 'instance']);
    for (const target of ['/readyz', '/metrics', '/v1/status']) {
      assert.equal((await get(target)).status, 401, target);
      assert.equal((await get(target, client.token)).status, 200, target);
    }
    assert.ok(!(await get('/v1/status', client.token)).body.includes('data_dir'));
    assert.match((await get('/metrics', client.token)).body, /^ctx_hub_sessions \d+$/m);
    for (const bearer of [client.token, hub.adminToken]) {
      assert.equal((await get('/v1/control/stop', bearer)).status, 403);
    }
  });
});
