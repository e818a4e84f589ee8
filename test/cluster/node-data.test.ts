/** What a node finds in its data directory at a start: a log that another cluster left, and files that do not belong together. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { publishAnywhere } from '../support/cluster-clients';
import {
  freePorts,
  secretFileIn,
  startCluster,
  startNode,
  type ClusterNode,
  type TestCluster,
} from '../support/cluster-processes';
import { backupTarget, endedStart, hubCommand, logFile, logText, published, readJson } from '../support/hub-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, start, tempDir, userEnv, type Finished } from '../support/processes';
import { succeeded } from '../support/projects';

const json = (...names: readonly string[]): Record<string, unknown> => readJson(path.join(...names));
const writeJson = (value: unknown, ...names: readonly string[]): void =>
  fs.writeFileSync(path.join(...names), `${JSON.stringify(value, undefined, 2)}\n`);

async function knows(hub: HubProcess, token: string): Promise<boolean> {
  const session = await openSession({ address: hub.address, token }).catch(() => undefined);
  session?.terminate();
  return session !== undefined;
}

/** Bytes of all that a start must not change when it is refused. */
function dataIn(dataDir: string): Record<string, string> {
  const isData = (name: string): boolean => /^(raft|meta|clients|entries\.jsonl|hub\.id)/.test(name);
  const names = fs.readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter(isData).sort();
  return Object.fromEntries(
    names.map((name) => {
      const file = path.join(dataDir, name);
      return [name, fs.statSync(file).isFile() ? fs.readFileSync(file, 'base64') : ''];
    }),
  );
}

describe('a backup of a cluster that becomes another cluster', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let node: ClusterNode;
  let token = '';
  let clientId = '';

  before(async () => {
    cluster = await startCluster(1);
    const [first] = cluster.nodes;
    assert.ok(first !== undefined);
    node = first;
    ({ token } = await registerClient(node.hub, 'alpha', 'ada@laptop'));
    for (let i = 1; i <= 5; i++) await publishAnywhere(cluster.nodes, token, published(`e-${i}`));
    // Clients of a higher index than anything a new cluster begins with.
    ({ clientId } = await registerClient(node.hub, 'beta', 'bob@desk'));
    await node.hub.stop();
  });
  after(removeTempDirs);

  async function backup(): Promise<string> {
    const target = backupTarget();
    succeeded(await hubCommand(node.dataDir, 'backup', target));
    return target;
  }

  /** As a backup was that did not leave out what is said of the Raft log. */
  async function oldBackup(): Promise<string> {
    const target = await backup();
    const { checksum, ...meta } = json(target, 'meta.json');
    assert.ok(checksum !== undefined);
    const { raft } = json(node.dataDir, 'meta.json');
    writeJson({ ...meta, raft }, target, 'meta.json');
    fs.copyFileSync(path.join(node.dataDir, 'clients.json'), path.join(target, 'clients.json'));
    assert.ok(Number(json(target, 'clients.json')['applied_index']) > 5);
    return target;
  }

  const single = async (dataDir: string): Promise<void> => {
    const hub = await startHub({ dataDir });
    assert.ok(await knows(hub, token));
    await hub.stop();
  };

  /** What is changed in the new cluster stays, although the old one counted further. */
  async function grows(dataDir: string): Promise<void> {
    const [port = 0] = await freePorts(1);
    const { secretFile } = cluster;
    const first = await startNode({ dataDir, port, secretFile, peers: [`ws://127.0.0.1:${port}`] });
    const carol = await registerClient(first, 'gamma', 'carol@tower');
    assert.ok(await knows(first, token));
    assert.ok(await knows(first, carol.token), 'a client that registers is known');
    succeeded(await hubCommand(dataDir, 'client', 'revoke', clientId));
    await first.kill9();
    const again = await startNode({ dataDir, port, secretFile });
    assert.ok(await knows(again, token));
    assert.ok(await knows(again, carol.token), 'and still after a restart');
    const { clients } = JSON.parse(succeeded(await hubCommand(dataDir, 'client', 'list', '--json')).stdout) as {
      clients: { client_id: string; revoked_at?: string }[];
    };
    assert.ok(clients.find(({ client_id }) => client_id === clientId)?.revoked_at !== undefined, 'a revocation holds');
    assert.equal(await publishAnywhere([again], token, published('more')), 6);
    await again.stop();
  }

  it('says nothing of a Raft log that it does not hold', async () => {
    const target = await backup();
    assert.ok(Number(json(node.dataDir, 'clients.json')['applied_index']) > 5);
    assert.ok(json(node.dataDir, 'meta.json')['raft'] !== undefined);
    assert.equal(json(target, 'clients.json')['applied_index'], undefined);
    assert.equal(json(target, 'meta.json')['raft'], undefined);
    assert.deepEqual(json(target, 'clients.json')['clients'], json(node.dataDir, 'clients.json')['clients']);
  });

  it('grows at once', async () => grows(await backup()));

  it('grows after it was a single hub', async () => {
    const target = await backup();
    await single(target);
    await grows(target);
  });

  it('grows when it was made by a version that left nothing out', async () => grows(await oldBackup()));

  it('and that one as a single hub keeps nothing of the Raft log, and then grows', async () => {
    const target = await oldBackup();
    await single(target);
    assert.equal(json(target, 'clients.json')['applied_index'], undefined);
    assert.equal(json(target, 'meta.json')['raft'], undefined);
    await grows(target);
  });
});

/** A node that lost what it promised is refused at each start, and nothing in its directory is changed meanwhile. */
describe('a node that finds less in its data directory than it had', function () {
  this.timeout(180_000);
  const WAY_OUT = /ctx hub peer remove.*empty its data directory.*ctx hub peer add/;
  let cluster: TestCluster;
  let node: ClusterNode;
  let whole = '';

  before(async () => {
    cluster = await startCluster(1);
    const [first] = cluster.nodes;
    assert.ok(first !== undefined);
    node = first;
    const { token } = await registerClient(node.hub, 'alpha', 'ada@laptop');
    fs.copyFileSync(at('clients.json'), path.join(cluster.folder, 'older.json'));
    await registerClient(node.hub, 'beta', 'bob@desk');
    for (let i = 1; i <= 5; i++) await publishAnywhere(cluster.nodes, token, published(`e-${i}`));
    await node.hub.stop();
    whole = path.join(cluster.folder, 'whole');
    fs.cpSync(node.dataDir, whole, { recursive: true });
  });
  const putBack = (): void => {
    fs.rmSync(node.dataDir, { recursive: true });
    fs.cpSync(whole, node.dataDir, { recursive: true });
  };
  beforeEach(putBack);
  after(removeTempDirs);

  const at = (...names: readonly string[]): string => path.join(node.dataDir, ...names);
  const clusterStart = (...more: readonly string[]): Promise<Finished> =>
    endedStart(node.dataDir, [
      ...['--port', new URL(node.address).port, '--cluster-secret-file', cluster.secretFile],
      ...more,
    ]);
  const firstStart = (): Promise<Finished> => clusterStart('--peers', node.address, '--advertise', node.address);
  const singleStart = (): Promise<Finished> => endedStart(node.dataDir, ['--port', '0']);
  const refused = ({ code, stderr }: Finished, why: RegExp, exit = 65): void => {
    assert.equal(code, exit, stderr);
    assert.match(stderr, why);
    assert.doesNotMatch(stderr, / at .*\.js:/);
  };

  const data = (): Record<string, string> => dataIn(node.dataDir);
  async function refusedAlways(why: RegExp, starts: readonly (() => Promise<Finished>)[]): Promise<void> {
    const before = data();
    for (const attempt of starts) {
      for (const time of ['first', 'again']) {
        const end = await attempt();
        refused(end, why);
        assert.match(end.stderr, WAY_OUT);
        assert.deepEqual(data(), before, time);
      }
    }
  }

  it('without raft/: whatever it is started as', async () => {
    fs.rmSync(at('raft'), { recursive: true });
    await refusedAlways(/raft is gone, but entry \d+ of its log was applied here/, [
      clusterStart,
      firstStart,
      singleStart,
    ]);
  });

  it('without raft/, and nobody else has its entries: they go on in a single hub, by a backup', async () => {
    fs.rmSync(at('raft'), { recursive: true });
    const target = backupTarget();
    refused(await clusterStart(), /make a single hub of its entries: ctx hub backup <dir>/);
    succeeded(await hubCommand(node.dataDir, 'backup', target));
    const hub = await startHub({ dataDir: target });
    assert.equal(logText(target).length, 5);
    await hub.stop();
  });

  it('without raft/node.json: which node it was is not guessed', async () => {
    fs.rmSync(at('raft', 'node.json'));
    await refusedAlways(/node\.json is missing beside .*raft.log: which node this is cannot be known/, [
      clusterStart,
      firstStart,
      singleStart,
    ]);
  });

  it('without raft/log, or with nothing in it: also when a snapshot has just been taken in', async () => {
    const { checksum, ...meta } = json(whole, 'meta.json');
    assert.ok(checksum !== undefined);
    for (const snapshot of [undefined, 'begun', 'installed']) {
      putBack();
      writeJson({ ...meta, raft: { ...(meta['raft'] as object), snapshot } }, at('meta.json'));
      for (const name of fs.readdirSync(at('raft', 'log'))) fs.truncateSync(at('raft', 'log', name));
      for (let i = 0; i < 2; i++)
        refused(await clusterStart(), /raft.log is gone, but entry \d+ of it was applied here/);
      fs.rmSync(at('raft', 'log'), { recursive: true });
      await refusedAlways(/raft.log is gone, but entry \d+ of it was applied here/, [clusterStart]);
    }
  });

  it('without clients.json, or with an older one: nobody comes back in who was revoked', async () => {
    const names = ['clients.json', 'clients.known.json'] as const;
    fs.rmSync(at('clients.json'));
    refused(await clusterStart(), /clients\.json is missing, and with it 2 registered clients\. Copy .*clients\.known/);
    fs.copyFileSync(path.join(cluster.folder, 'older.json'), at('clients.json'));
    refused(await clusterStart(), /clients\.json is older than the hub last wrote it: beta bob@desk .* removed/, 78);
    const { version } = json(at('clients.json'));
    for (const name of names) fs.copyFileSync(path.join(cluster.folder, 'older.json'), at(name));
    await refusedAlways(new RegExp(`clients\\.json is of version ${String(version)}, but 2 was applied here`), [
      clusterStart,
    ]);
    for (const name of names) fs.rmSync(at(name));
    await refusedAlways(/clients\.json is of version 0, but 2 was applied here/, [clusterStart]);
    for (const name of names) fs.copyFileSync(path.join(whole, 'clients.json'), at(name));
    await (await node.restart()).stop();
  });

  it('without meta.json, or without its word on the Raft log', async () => {
    const { raft, checksum, ...meta } = json(whole, 'meta.json');
    assert.ok(raft !== undefined && checksum !== undefined);
    writeJson(meta, at('meta.json'));
    await refusedAlways(/meta\.json does not say how far .*raft.log was applied/, [clusterStart]);
    fs.rmSync(at('meta.json'));
    await refusedAlways(/meta\.json is missing: /, [clusterStart]);
  });

  it('is not repaired: its log must stay that of the others; looking at it is allowed', async () => {
    fs.writeFileSync(logFile(node.dataDir), fs.readFileSync(logFile(node.dataDir), 'utf8').replace('"e-3"', '"x-3"'));
    const before = data();
    for (const way of ['--quarantine', '--accept-gap', '--rebuild-meta']) {
      const end = await hubCommand(node.dataDir, 'repair', way);
      refused(end, WAY_OUT, 78);
      assert.match(end.stderr, /belongs to a node of a cluster.*ctx hub import/);
    }
    assert.equal((await hubCommand(node.dataDir, 'verify')).code, 65);
    succeeded(await hubCommand(node.dataDir, 'repair', '--quarantine', '--dry-run'));
    refused(await clusterStart(), /line 3 [^]*a node of a cluster, which is not repaired.*ctx hub peer add/);
    assert.deepEqual(data(), before);
    fs.rmSync(at('raft'), { recursive: true });
    refused(await hubCommand(node.dataDir, 'repair', '--quarantine'), /raft is gone/);
  });

  it('is not imported into while it is stopped: all nodes must agree on what comes into the log', async () => {
    const journal = path.join(cluster.folder, 'journal.jsonl');
    const line = fs.readFileSync(logFile(whole), 'utf8').split('\n')[0] ?? '';
    fs.writeFileSync(journal, `${line.replace('"e-1"', '"new-1"')}\n`);
    const before = data();
    refused(
      await hubCommand(node.dataDir, 'import', journal),
      /belongs to a node of a cluster. Start it, then import/,
      78,
    );
    assert.deepEqual(data(), before);
    const hub = await node.restart();
    assert.match(succeeded(await hubCommand(node.dataDir, 'import', journal)).stdout, /^Imported 1 entry/);
    await hub.stop();
  });
});

describe('a directory that is to become a node', function () {
  this.timeout(180_000);
  after(removeTempDirs);

  it('and holds the log of a single hub, with others: refused before anything is written, and that hub goes on', async () => {
    const hub = await startHub();
    const { dataDir } = hub;
    const { token } = await registerClient(hub, 'alpha', 'ada@laptop');
    await publishAnywhere([hub], token, published('e-1'));
    await hub.stop();
    const [port = 0, other = 0] = await freePorts(2);
    const own = `127.0.0.1:${port}`;
    const secretFile = secretFileIn(path.dirname(dataDir));
    const started = (...peers: readonly string[]): Promise<Finished> => {
      const flags = ['--port', String(port), '--cluster-secret-file', secretFile, '--advertise', own];
      return endedStart(dataDir, [...flags, '--peers', peers.join(',')]);
    };
    const before = dataIn(dataDir);
    const refused = await started(own, `127.0.0.1:${other}`);
    assert.equal(refused.code, 78, refused.stderr);
    assert.match(refused.stderr, /holds the log of a hub already.*--peers ws:\/\/\S+ alone.*ctx hub peer add/);
    assert.deepEqual(dataIn(dataDir), before);
    // Nor is it half a node when its log turns out to be damaged.
    const log = fs.readFileSync(logFile(dataDir));
    fs.writeFileSync(logFile(dataDir), log.toString().replace('"e-1"', '"x-1"'));
    const damaged = dataIn(dataDir);
    assert.equal((await started(own)).code, 65);
    assert.deepEqual(dataIn(dataDir), damaged);
    fs.writeFileSync(logFile(dataDir), log);
    const single = await startHub({ dataDir });
    assert.ok(await knows(single, token));
    assert.equal(await publishAnywhere([single], token, published('e-2')), 2);
    await single.stop();
  });

  it('and waited for others in vain: it is nobody’s node, and may be a single hub', async () => {
    const dataDir = path.join(tempDir('ctx-alone'), 'data');
    const [port = 0, other = 0] = await freePorts(2);
    const secretFile = secretFileIn(path.dirname(dataDir));
    const own = `127.0.0.1:${port}`;
    const flags = ['--port', String(port), '--cluster-secret-file', secretFile, '--advertise', own];
    const waiting = start(['hub', 'start', '--data-dir', dataDir, ...flags, '--peers', `${own},127.0.0.1:${other}`], {
      cwd: path.dirname(dataDir),
      env: userEnv(path.dirname(dataDir)),
    });
    await waiting.says(/Waiting for the other nodes/, 60_000);
    waiting.process.kill('SIGINT');
    assert.equal((await waiting.finished).code, 0);
    const hub = await startHub({ dataDir });
    const { token } = await registerClient(hub, 'alpha', 'ada@laptop');
    assert.ok(await knows(hub, token));
    await hub.stop();
  });
});
