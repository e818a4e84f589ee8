/** FM-47, one node: an edit of clients.json by hand counts at the next start, and the hub says what it changed. FM-45: no tokens in it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { registerClient, startHub, type HubProcess, type RegisteredClient } from '../support/hub-process';
import { hubCommand, readJson } from '../support/hub-log';
import { removeTempDirs } from '../support/processes';

interface ClientsFile {
  clients: { id: string; project: string; revoked_at?: string; token_digest: string }[];
}

const clientsFile = (dataDir: string): string => path.join(dataDir, 'clients.json');

function edit(dataDir: string, change: (file: ClientsFile) => void): void {
  const file = readJson(clientsFile(dataDir)) as unknown as ClientsFile;
  change(file);
  fs.writeFileSync(clientsFile(dataDir), JSON.stringify(file));
}

async function works(hub: HubProcess, { token }: RegisteredClient): Promise<boolean> {
  try {
    await (await openSession({ address: hub.address, token })).close();
    return true;
  } catch {
    return false;
  }
}

describe('FM-47: clients.json edited by hand', () => {
  after(removeTempDirs);

  async function three(): Promise<{
    dataDir: string;
    clients: readonly [RegisteredClient, RegisteredClient, RegisteredClient];
  }> {
    const hub = await startHub();
    const clients = [
      await registerClient(hub, 'alpha'),
      await registerClient(hub, 'beta'),
      await registerClient(hub, 'gamma'),
    ] as const;
    await hub.stop();
    return { dataDir: hub.dataDir, clients };
  }

  it('a removed client is out, the others are in, and the log names it; once', async () => {
    const { dataDir, clients } = await three();
    edit(dataDir, (file) => (file.clients = file.clients.filter((each) => each.project !== 'beta')));
    const hub = await startHub({ dataDir });
    assert.deepEqual(await Promise.all(clients.map((each) => works(hub, each))), [true, false, true]);
    const id = clients[1].clientId;
    assert.match(
      hub.process.stderr(),
      new RegExp(`clients\\.json was edited by hand; the edit counts: beta tester@here \\(${id}\\) removed`),
    );
    await hub.stop();
    const again = await startHub({ dataDir });
    assert.doesNotMatch(again.process.stderr(), /edited by hand/);
    assert.deepEqual(await Promise.all(clients.map((each) => works(again, each))), [true, false, true]);
    await again.stop();
  });

  it('revoked by hand, and a revocation taken back by hand, are both told', async () => {
    const { dataDir, clients } = await three();
    edit(dataDir, ({ clients: [first] }) => {
      if (first !== undefined) first.revoked_at = '2026-01-01T00:00:00Z';
    });
    const hub = await startHub({ dataDir });
    assert.match(hub.process.stderr(), /alpha tester@here \([0-9a-f]{16}\) revoked/);
    assert.equal(await works(hub, clients[0]), false);
    await hub.stop();
    edit(dataDir, ({ clients: [first] }) => delete first?.revoked_at);
    const again = await startHub({ dataDir });
    assert.match(again.process.stderr(), /alpha tester@here \([0-9a-f]{16}\) no longer revoked/);
    assert.equal(await works(again, clients[0]), true);
    await again.stop();
  });

  it('an older copy of the file counts, and what comes back with it is told', async () => {
    const { dataDir, clients } = await three();
    const older = fs.readFileSync(clientsFile(dataDir));
    const hub = await startHub({ dataDir });
    assert.equal((await hubCommand(dataDir, 'client', 'revoke', clients[2].clientId)).code, 0);
    await hub.stop();
    fs.writeFileSync(clientsFile(dataDir), older);
    const again = await startHub({ dataDir });
    assert.match(
      again.process.stderr(),
      /clients\.json is older than the hub last wrote it.*gamma .* no longer revoked/,
    );
    await again.stop();
  });

  it('a crash between the two files that remember clients is no edit', async () => {
    const { dataDir, clients } = await three();
    const known = path.join(dataDir, 'clients.known.json');
    const before = fs.readFileSync(known);
    const hub = await startHub({ dataDir });
    const late = await registerClient(hub, 'delta');
    await hub.kill9();
    fs.writeFileSync(known, before);
    const again = await startHub({ dataDir });
    assert.doesNotMatch(again.process.stderr(), /clients\.json/);
    assert.deepEqual(await Promise.all([...clients, late].map((each) => works(again, each))), [true, true, true, true]);
    await again.stop();
  });

  const losses: readonly [string, (file: string) => void, RegExp][] = [
    ['lost', (file) => fs.rmSync(file), /is missing, and with it 3 registered clients\. Copy \S+clients\.known\.json/],
    ['damaged', (file) => fs.truncateSync(file, 300), /is damaged: .* Or copy \S+clients\.known\.json, .* over it\./],
  ];
  for (const [what, lose, wayBack] of losses) {
    it(`a ${what} clients.json revokes nobody: start, verify and backup refuse, with the way back`, async () => {
      const { dataDir, clients } = await three();
      lose(clientsFile(dataDir));
      for (const args of [['start', '--port', '0'], ['verify'], ['backup', `${dataDir}-copy`]]) {
        const { code, stderr } = await hubCommand(dataDir, ...args);
        assert.equal(code, 65, args.join(' '));
        assert.match(stderr, wayBack);
      }
      fs.copyFileSync(path.join(dataDir, 'clients.known.json'), clientsFile(dataDir));
      const again = await startHub({ dataDir });
      assert.deepEqual(await Promise.all(clients.map((each) => works(again, each))), [true, true, true]);
      fs.rmSync(clientsFile(dataDir));
      const { code, stderr } = await hubCommand(dataDir, 'backup', `${dataDir}-copy`);
      assert.equal(code, 65, 'also of a running hub');
      assert.match(stderr, /clients\.json is missing/);
      await again.stop();
    });
  }

  it('an editor that puts a byte order mark first does no harm', async () => {
    const { dataDir, clients } = await three();
    edit(dataDir, (file) => (file.clients = file.clients.filter((each) => each.project !== 'beta')));
    fs.writeFileSync(clientsFile(dataDir), `\ufeff${fs.readFileSync(clientsFile(dataDir), 'utf8')}`);
    const hub = await startHub({ dataDir });
    assert.deepEqual(await Promise.all(clients.map((each) => works(hub, each))), [true, false, true]);
    await hub.stop();
  });

  it('an edit under a running hub is not written over: what would do so is refused until the restart', async () => {
    const { dataDir, clients } = await three();
    const hub = await startHub({ dataDir });
    edit(dataDir, (file) => (file.clients = file.clients.filter((each) => each.project !== 'beta')));
    const { code, stderr } = await hubCommand(dataDir, 'client', 'revoke', clients[2].clientId);
    assert.notEqual(code, 0);
    assert.match(stderr, /clients\.json was edited by hand while the hub runs.*restart the hub/);
    await hub.stop();
    const again = await startHub({ dataDir });
    assert.deepEqual(await Promise.all(clients.map((each) => works(again, each))), [true, false, true]);
    assert.equal((await hubCommand(dataDir, 'client', 'revoke', clients[2].clientId)).code, 0);
    await again.stop();
  });

  it('what the hub would not read again it does not take: one token twice, a version beyond counting', async () => {
    const { dataDir } = await three();
    const token = { project_name: 'p', token: 'the-same-token' };
    const twice = JSON.stringify([
      { id: '1', ...token },
      { id: '2', ...token },
    ]);
    const beyond = JSON.stringify({ ...readJson(clientsFile(dataDir)), version: Number.MAX_SAFE_INTEGER });
    for (const [text, message] of [
      [twice, /client [0-9a-f]{16} is there twice/],
      [beyond, /version/],
    ] as const) {
      fs.writeFileSync(clientsFile(dataDir), text);
      const { code, stderr } = await hubCommand(dataDir, 'start', '--port', '0');
      assert.equal(code, 65, stderr);
      assert.match(stderr, message);
    }
  });

  it('no piece of a token is told when the file is no JSON', async () => {
    const { dataDir } = await three();
    fs.writeFileSync(clientsFile(dataDir), '[{"id":"1","project_name":"p","token":SECRET-OF-ALPHA}]');
    for (const command of [['start', '--port', '0'], ['verify']]) {
      const { code, stdout, stderr } = await hubCommand(dataDir, ...command);
      assert.equal(code, 65);
      assert.match(stderr, /clients\.json is damaged: .*is not valid JSON/);
      assert.doesNotMatch(stdout + stderr, /SECRET|ctx hub repair/);
    }
  });

  it('what is no longer a clients.json is refused by name and place', async () => {
    const { dataDir } = await three();
    edit(dataDir, ({ clients: [first] }) => {
      if (first !== undefined) first.token_digest = 'short';
    });
    const { code, stderr } = await hubCommand(dataDir, 'start', '--port', '0');
    assert.equal(code, 65);
    assert.match(stderr, /clients\.json is damaged: [\s\S]*clients\[0\]\.token_digest/);
  });
});
