/** S05, S06: a web page in a developer's browser cannot use the hub, whatever name it resolves to 127.0.0.1. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';
import { upgradeStatus } from '../support/raw-session';

const ALLOWED = 'https://ok.example.org';

const REFUSED_ORIGINS = [
  'https://evil.example',
  'null',
  'https://ok.example.org.evil.example',
  'https://OK.example.org',
  'https://ok.example.org.',
  'https://ok.example.org:444',
  'http://ok.example.org',
  'http://localhost:9900',
];

const REFUSED_HOSTS = [
  'rebind.evil.example',
  '127.0.0.1.nip.io',
  'localhost.evil.example',
  'hub.example.org.evil.example',
  'hub.example.org.',
];

describe('S05, S06: browsers are kept out', () => {
  let hub: HubProcess;
  let token: string;

  const get = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      http
        .get({ host: '127.0.0.1', port: hub.port, path: '/healthz', headers }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
        .once('error', reject);
    });
  const upgrade = (headers: Record<string, string>): Promise<number> => upgradeStatus(hub.address, { token, headers });

  before(async () => {
    hub = await startHub({ args: ['--allow-origin', ALLOWED, '--public-host', 'hub.example.org'] });
    ({ token } = await registerClient(hub, 'alpha'));
  });
  after(async () => {
    await hub.stop();
    removeTempDirs();
  });

  it('no origin and an allowed origin pass', async () => {
    assert.equal(await upgrade({}), 101);
    assert.equal(await upgrade({ origin: ALLOWED }), 101);
    assert.equal(await get({ origin: ALLOWED }), 200);
  });

  for (const origin of REFUSED_ORIGINS) {
    it(`origin ${origin} gets 403, for a session and for a question`, async () => {
      assert.equal(await upgrade({ origin }), 403);
      assert.equal(await get({ origin }), 403);
    });
  }

  it('loopback literals and the configured name pass as host', async () => {
    for (const host of ['localhost', `127.0.0.1:${hub.port}`, '[::1]:1', 'hub.example.org', 'Hub.Example.Org:9900']) {
      assert.equal(await upgrade({ host }), 101, host);
      assert.equal(await get({ host }), 200, host);
    }
  });

  for (const host of REFUSED_HOSTS) {
    it(`host ${host} gets 403, for a session and for a question`, async () => {
      assert.equal(await upgrade({ host }), 403);
      assert.equal(await get({ host }), 403);
    });
  }

  it('a refused page does not learn whether its token is valid', async () => {
    const bad = await upgradeStatus(hub.address, { token: 'nonsense', headers: { origin: 'https://evil.example' } });
    assert.equal(bad, 403);
  });
});
