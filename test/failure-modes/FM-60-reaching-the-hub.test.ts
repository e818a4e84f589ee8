/** FM-60: `ctx connection status` and `ctx doctor` name the step at which reaching the hub fails, and what to look at next. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { changeConnection, connectionOf, makeConnection } from '../support/connection';
import { FakeHub } from '../support/fake-hub';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';
import { connect, newProject, succeeded, type CliProject } from '../support/projects';
import { TcpProxy } from '../support/tcp-proxy';

interface Doctor {
  readonly ok: boolean;
  readonly first: string | null;
  readonly next: string | null;
  readonly checks: readonly { name: string; status: string; message: string; next: string | null }[];
}

interface Status {
  readonly hub: { reached: boolean; step: string | null; code: string; reason: string };
}

describe('FM-60 the step that fails is named', function () {
  this.timeout(120_000);
  let hub: HubProcess;
  let project: CliProject;

  before(async () => {
    hub = await startHub();
  });
  beforeEach(async () => {
    project = await newProject('alpha');
    await connect(project, hub);
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  /** Both commands, by text and by JSON, exit code included. */
  async function names(step: string, exit: number, next: RegExp): Promise<void> {
    const doctor = await project.ctx(['doctor', '--json']);
    assert.equal(doctor.code, exit, doctor.stdout + doctor.stderr);
    const found = JSON.parse(doctor.stdout) as Doctor;
    assert.deepEqual([found.ok, found.first], [false, step]);
    assert.match(found.next ?? '', next);
    const at = found.checks.findIndex(({ name }) => name === step);
    assert.equal(found.checks[at]?.status, 'failed');
    for (const each of found.checks.slice(0, at)) assert.notEqual(each.status, 'failed', each.name);
    const status = await project.ctx(['connection', 'status', '--json']);
    assert.equal(status.code, exit, status.stderr);
    const { hub: side } = JSON.parse(status.stdout) as Status;
    assert.deepEqual([side.reached, side.step], [false, step]);
    assert.match(side.reason, next);
    const text = (await project.ctx(['doctor'])).stdout;
    assert.match(text, new RegExp(`^FAIL  ${step} `, 'm'));
    assert.match(text, new RegExp(`^First: ${step} failed\\. Next: \\S`, 'm'));
  }

  it('nothing fails: every step is green and the exit code is 0', async () => {
    const { code, stdout } = await project.ctx(['doctor', '--json']);
    assert.equal(code, 0, stdout);
    const { ok, first, checks } = JSON.parse(stdout) as Doctor;
    assert.deepEqual([ok, first], [true, null]);
    for (const name of ['dns', 'tcp', 'http', 'auth', 'protocol', 'role', 'history', 'clock']) {
      assert.equal(checks.find((each) => each.name === name)?.status, 'ok', name);
    }
  });

  it('DNS: a name that nobody knows', async () => {
    await changeConnection(project, { hub_addr: 'ws://no-such-host.invalid:9900' });
    await names('dns', 69, /host name/);
  });

  it('TCP: nobody listens', async () => {
    const proxy = await TcpProxy.listen(hub.port);
    const { address } = proxy;
    await proxy.close();
    await changeConnection(project, { hub_addr: address });
    await names('tcp', 69, /ctx hub status/);
  });

  it('TLS: a certificate is expected and none is shown', async () => {
    await changeConnection(project, { hub_addr: hub.address.replace('ws:', 'wss:') });
    await names('tls', 69, /certificate/);
  });

  it('HTTP: something else answers', async () => {
    const other = http.createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      await changeConnection(project, { hub_addr: `ws://127.0.0.1:${(other.address() as AddressInfo).port}` });
      await names('http', 69, /another service/);
    } finally {
      other.closeAllConnections();
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('HTTP: a machine that accepts and never answers holds nothing up for ever', async () => {
    const proxy = await TcpProxy.listen(hub.port);
    proxy.mute = true;
    try {
      await changeConnection(project, { hub_addr: proxy.address });
      await names('http', 69, /another service/);
      assert.ok(proxy.faults >= 3);
    } finally {
      await proxy.close();
    }
  });

  it('authentication: the token was revoked', async () => {
    const { client, project: name } = await connectionOf(project);
    const list = succeeded(await project.ctx(['hub', 'client', 'list', '--json', '--data-dir', hub.dataDir])).stdout;
    const { clients } = JSON.parse(list) as {
      clients: { client_id: string; project: string; revoked_at?: string | null }[];
    };
    assert.ok(client !== '' && name === 'alpha');
    for (const { client_id, revoked_at } of clients.filter((each) => each.project === 'alpha')) {
      if ((revoked_at ?? null) === null)
        succeeded(await project.ctx(['hub', 'client', 'revoke', client_id, '--data-dir', hub.dataDir]));
    }
    await names('auth', 77, /[Rr]egister again/);
  });

  it('protocol: the hub speaks another version', async () => {
    const fake = new FakeHub();
    fake.versions = [9];
    try {
      await makeConnection(project, { hub_addr: await fake.listen() });
      await names('protocol', 76, /versions/);
    } finally {
      await fake.close();
    }
  });

  it('protocol: a hub that never says hello', async () => {
    const fake = new FakeHub();
    fake.mute = true;
    try {
      await makeConnection(project, { hub_addr: await fake.listen() });
      const { stdout } = await project.ctx(['doctor', '--json']);
      assert.equal((JSON.parse(stdout) as Doctor).first, 'protocol');
    } finally {
      await fake.close();
    }
  });

  it('one of several addresses does not answer: works, and says which', async () => {
    const proxy = await TcpProxy.listen(hub.port);
    const { address } = proxy;
    await proxy.close();
    await changeConnection(project, { hub_addr: address, peers: [hub.address] });
    const { code, stdout } = await project.ctx(['doctor', '--json']);
    assert.equal(code, 0, stdout);
    const { checks } = JSON.parse(stdout) as Doctor;
    const found = checks.find(({ name }) => name === 'address');
    assert.equal(found?.status, 'warning');
    assert.ok(found.message.includes(address), found.message);
  });
});
