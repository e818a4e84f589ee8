/** S02: TLS at least 1.2, verified by authority and name or by the pinned fingerprint; there is no way to skip it. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { openSession } from '../../core/node/hub-session';
import { expiryProblem, openCertificate, type TlsConfig } from '../../hub/certificate';
import { watchCertificate } from '../../hub/certificate-watch';
import { mintToken } from '../../hub/server/secrets';
import { makeAuthority, makePair, type Authority } from '../support/certificates';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { ctx, removeTempDirs, tempDir, until, userEnv, type Finished } from '../support/processes';
import { newProject, succeeded } from '../support/projects';

/** [what, flags after `hub start`, what the message says, exit code]. */
const BAD_FLAGS: readonly (readonly [string, readonly string[], RegExp, number])[] = [
  ['a certificate without its key', ['--tls-cert', 'good.cert.pem'], /--tls-cert and --tls-key/, 64],
  ['both kinds', ['--tls-self-signed', '--tls-cert', 'good.cert.pem', '--tls-key', 'x'], /either/, 64],
  ['a file that is not there', ['--tls-cert', 'none.pem', '--tls-key', 'good.key.pem'], /none\.pem.*no such file/, 74],
  [
    'a file that is no certificate',
    ['--tls-cert', 'good.key.pem', '--tls-key', 'good.key.pem'],
    /no.* certificate/,
    78,
  ],
  ['a key of another one', ['--tls-cert', 'good.cert.pem', '--tls-key', 'other.key.pem'], /not the private key of/, 78],
  ['a file that is no key', ['--tls-cert', 'good.cert.pem', '--tls-key', 'good.cert.pem'], /private key in PEM/, 78],
  ['an expired certificate', ['--tls-cert', 'expired.cert.pem', '--tls-key', 'expired.key.pem'], /expired/, 78],
  ['a certificate of tomorrow', ['--tls-cert', 'early.cert.pem', '--tls-key', 'early.key.pem'], /not valid before/, 78],
];

describe('S02: TLS', () => {
  let folder: string;
  let authority: Authority;
  let stranger: Authority;
  let running: HubProcess | undefined;
  const hub = (...args: string[]): Promise<Finished> => ctx(['hub', ...args], { cwd: folder, env: userEnv(folder) });
  const start = async (...args: string[]): Promise<HubProcess> => {
    running = await startHub({ args });
    return running;
  };
  const withPair = (name: string): string[] => [
    ...['--tls-cert', path.join(folder, `${name}.cert.pem`)],
    ...['--tls-key', path.join(folder, `${name}.key.pem`)],
  ];

  before(async () => {
    folder = tempDir('ctx-tls');
    authority = await makeAuthority(folder, 'ours');
    stranger = await makeAuthority(folder, 'theirs');
    await makePair(folder, 'good', { authority });
    await makePair(folder, 'other', { authority });
    await makePair(folder, 'elsewhere', { authority, names: ['elsewhere.example.org'], addresses: ['192.0.2.1'] });
    await makePair(folder, 'expired', { authority, fromDays: -10, toDays: -1 });
    await makePair(folder, 'early', { authority, fromDays: 1 });
    await makePair(folder, 'soon', { authority, toDays: 5 });
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });
  after(removeTempDirs);

  it('a self-signed hub prints its fingerprint, keeps it over a restart, and is reached by pinning it', async () => {
    const first = await start('--tls-self-signed', '--public-host', 'hub.example.org');
    const fingerprint = /^Certificate fingerprint \(SHA-256\): (([0-9A-F]{2}:){31}[0-9A-F]{2})$/m.exec(
      first.process.stdout(),
    )?.[1];
    assert.ok(fingerprint !== undefined);
    assert.match(first.address, /^wss:\/\/127\.0\.0\.1:/);
    const pem = fs.readFileSync(path.join(first.dataDir, 'tls.cert.pem'));
    assert.match(new X509Certificate(pem).subjectAltName ?? '', /DNS:localhost.*IP Address:127\.0\.0\.1.*hub\.example/);
    const admin = await openSession({ address: first.address, token: first.adminToken, fingerprint });
    const { token } = await admin.register('alpha', 'ada@laptop');
    await admin.close();
    await assert.rejects(openSession({ address: first.address, token }), { step: 'tls' });
    const wrong = fingerprint.replace(/^../, (byte) => (byte === '00' ? '01' : '00'));
    await assert.rejects(openSession({ address: first.address, token, fingerprint: wrong }), { step: 'tls' });
    await first.stop();
    running = await startHub({ dataDir: first.dataDir, args: ['--tls-self-signed'] });
    assert.ok(running.process.stdout().includes(fingerprint));
    await (await openSession({ address: running.address, token, fingerprint })).close();
  });

  it('local commands find the TLS hub of their machine and prove it by its own fingerprint', async () => {
    const { dataDir, address, adminToken } = await start('--tls-self-signed');
    const status = await hub('status', '--exit-code', '--data-dir', dataDir);
    assert.equal(status.code, 0);
    assert.equal((await hub('client', 'list', '--data-dir', dataDir)).code, 0);
    fs.writeFileSync(path.join(folder, 'admin'), adminToken);
    const unproven = await hub('client', 'list', '--addr', address, '--token-file', 'admin');
    assert.equal(unproven.code, 69);
    assert.match(unproven.stderr, /TLS/);
    assert.equal((await hub('status', '--exit-code', '--addr', address)).code, 3);
    const { fingerprint256 } = new X509Certificate(fs.readFileSync(path.join(dataDir, 'tls.cert.pem')));
    assert.ok(status.stdout.includes(fingerprint256));
    const pinned = ['--addr', address, '--token-file', 'admin', '--fingerprint', fingerprint256];
    assert.equal((await hub('client', 'list', ...pinned)).code, 0);
    assert.equal((await hub('status', ...pinned)).code, 0);
    assert.equal((await hub('stop', '--data-dir', dataDir)).code, 0);
  });

  it('registering again at the same address keeps its TLS and its trust: the admin token never goes there in clear', async () => {
    const { port, address, dataDir } = await start(...withPair('good'));
    const project = await newProject('again');
    const register = (...args: string[]): Promise<Finished> =>
      project.ctx(['connection', 'register', ...args, '--token-file', path.join(dataDir, 'admin.token')]);
    succeeded(await register(`127.0.0.1:${port}`, '--ca', authority.file));
    const before = project.read('.connect.enc');
    assert.match(succeeded(await register(`127.0.0.1:${port}`)).stdout, new RegExp(`at wss://127\\.0\\.0\\.1:${port}`));
    assert.notEqual(project.read('.connect.enc'), before);
    const spelledOut = await register(address);
    assert.equal(spelledOut.code, 69);
    assert.match(spelledOut.stderr, /TLS/);
  });

  it('with TLS a hub may listen on every address', async () => {
    const { port, dataDir } = await start('--host', '0.0.0.0', '--tls-self-signed');
    assert.ok(port > 0);
    assert.equal((await hub('status', '--exit-code', '--data-dir', dataDir)).code, 0);
  });

  it('a certificate of an authority is accepted with --ca and refused without, with another, or for another name', async () => {
    const { address, port, adminToken } = await start(...withPair('good'));
    await (await openSession({ address, token: adminToken, ca: authority.pem })).close();
    await (await openSession({ address: `wss://localhost:${port}`, token: adminToken, ca: authority.pem })).close();
    await assert.rejects(openSession({ address, token: adminToken }), { step: 'tls' });
    await assert.rejects(openSession({ address, token: adminToken, ca: stranger.pem }), { step: 'tls' });
    fs.writeFileSync(path.join(folder, 'admin'), adminToken);
    const flags = ['--addr', address, '--token-file', 'admin'];
    assert.equal((await hub('status', ...flags, '--ca', authority.file)).code, 0);
    assert.equal((await hub('status', ...flags, '--ca', stranger.file)).code, 69);
    await running?.stop();
    const elsewhere = await start(...withPair('elsewhere'));
    const options = { address: elsewhere.address, token: elsewhere.adminToken, ca: authority.pem };
    await assert.rejects(openSession(options), { step: 'tls' });
  });

  it('TLS 1.1 and plain text get nothing; 1.2 and 1.3 do', async () => {
    const { address, port, adminToken } = await start(...withPair('good'));
    const version = (wanted: tls.SecureVersion): Promise<string | null> =>
      new Promise((resolve, reject) => {
        const socket = tls.connect({
          ...{ host: '127.0.0.1', port, ca: authority.pem, minVersion: wanted, maxVersion: wanted },
          // Without it this machine's own OpenSSL would refuse to ask for an old version.
          ciphers: 'DEFAULT@SECLEVEL=0',
        });
        socket.once('secureConnect', () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.once('error', reject);
      });
    await assert.rejects(version('TLSv1.1'));
    assert.equal(await version('TLSv1.2'), 'TLSv1.2');
    assert.equal(await version('TLSv1.3'), 'TLSv1.3');
    await assert.rejects(openSession({ address: address.replace('wss', 'ws'), token: adminToken }));
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = net.connect(port, '127.0.0.1', () =>
        socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      );
      socket.on('data', (data) => (text += data.toString('latin1')));
      socket.on('error', () => undefined).once('close', () => resolve(text));
    });
    assert.ok(!answer.includes('"ok"'));
  });

  it('a client never goes down to ws by itself', async () => {
    const plain = await start();
    const { token } = await registerClient(plain, 'alpha');
    await assert.rejects(openSession({ address: plain.address.replace('ws:', 'wss:'), token }), { step: 'tls' });
  });

  for (const [what, flags, says, code] of BAD_FLAGS) {
    it(`start with ${what} says so`, async () => {
      const dataDir = path.join(tempDir('ctx-tls-flags'), 'data');
      const refused = await hub('start', '--port', '0', '--data-dir', dataDir, ...flags);
      assert.equal(refused.code, code, refused.stderr);
      assert.match(refused.stderr, says);
      assert.equal(refused.stdout, '');
    });
  }

  it('a certificate that expires soon makes the hub degraded', async () => {
    const { dataDir } = await start(...withPair('soon'));
    const status = await hub('status', '--exit-code', '--data-dir', dataDir);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /expires in [345] days/);
  });

  it('a renewed certificate is taken up; half-replaced files are reported until they fit', async () => {
    const renewing = tempDir('ctx-tls-renew');
    const copy = (name: string, kind: 'cert' | 'key'): void =>
      fs.copyFileSync(path.join(folder, `${name}.${kind}.pem`), path.join(renewing, `now.${kind}.pem`));
    copy('soon', 'cert');
    copy('soon', 'key');
    const config: TlsConfig = {
      kind: 'files',
      certFile: path.join(renewing, 'now.cert.pem'),
      keyFile: path.join(renewing, 'now.key.pem'),
    };
    const reported = new Map<string, string>();
    const renewed: string[] = [];
    const first = await openCertificate(config, renewing);
    assert.match(expiryProblem(first, new Date()) ?? '', /expires in/);
    const end = watchCertificate(
      config,
      renewing,
      first,
      reported,
      (certificate) => Promise.resolve(void renewed.push(certificate.fingerprint)),
      5,
    );
    assert.match(reported.get('certificate') ?? '', /expires in/);
    copy('good', 'cert');
    await until('the mismatch is reported', () => (reported.get('certificate') ?? '').includes('not the private key'));
    assert.deepEqual(renewed, []);
    copy('good', 'key');
    await until('it is taken up', () => renewed.length > 0);
    await until('no problem is left', () => !reported.has('certificate'));
    end();
    assert.equal(renewed[0], new X509Certificate(fs.readFileSync(config.certFile)).fingerprint256);
  });

  it('registering elsewhere in clear is warned of before anything is sent; on this machine and with TLS it is not', async () => {
    const project = await newProject('alpha');
    const token = path.join(folder, 'token');
    fs.writeFileSync(token, `${mintToken('adm').text()}\n`);
    const said = async (address: string): Promise<string> => {
      const { code, stderr } = await project.ctx(['connection', 'register', address, '--token-file', token]);
      assert.equal(code, 69, stderr);
      return stderr;
    };
    // Names below .invalid never resolve (RFC 6761).
    assert.match(await said('hub.invalid'), /warning: ws:\/\/hub\.invalid:9900 is not encrypted/);
    assert.doesNotMatch(await said('wss://hub.invalid'), /warning/);
    for (const local of ['127.0.0.1:1', 'localhost:1', '[::1]:1'])
      assert.doesNotMatch(await said(local), /warning/, local);
  });
});
