/** What `ctx hub status` shows of a node that has only just joined: every member it was told of, and why one cannot be asked. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openFormationDoor } from '../../hub/engine/raft/formation-door';
import { newNodeFile, writeNodeFile } from '../../hub/engine/raft/node-file';
import { dataFiles, prepareDataDirectory, writeHubId } from '../../hub/store/data-directory';
import { nodeDisk } from '../../hub/store/node-disk';
import { openStore } from '../../hub/store/open-store';
import { freePorts, secretFileIn, startNode } from '../support/cluster-processes';
import { hubCommand } from '../support/hub-log';
import type { HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir, until } from '../support/processes';

const CLUSTER = '7f6d1c1e-3c0a-4f0e-9a54-0d0c2b9b7a11';

describe('a node that has just joined', function () {
  this.timeout(120_000);
  const folder = tempDir('ctx-joined');
  const secretFile = secretFileIn(folder);
  const dataDir = path.join(folder, 'data');
  let ports: readonly number[] = [];
  let hub: HubProcess | undefined;

  const addressOf = (at: number): string => `ws://127.0.0.1:${ports[at]}`;
  const table = async (): Promise<string> => (await hubCommand(dataDir, 'status')).stdout;

  /** As the first start of a newcomer leaves it that was added while nobody could send it anything yet. */
  before(async () => {
    ports = await freePorts(2);
    await prepareDataDirectory(nodeDisk, dataDir);
    await writeHubId(nodeDisk, dataFiles(dataDir), CLUSTER);
    await (await openStore({ folder: dataDir, disk: nodeDisk, now: Date.now, warn: () => undefined })).close();
    const own = newNodeFile(addressOf(1));
    const contacts = [
      { id: 1, uid: 'uid-of-node-1', address: addressOf(0) },
      { id: 2, uid: own.uid, address: own.address },
    ];
    await writeNodeFile(nodeDisk, dataDir, { ...own, joined: { cluster: CLUSTER, node: 2, contacts } });
    hub = await startNode({ dataDir, port: ports[1] ?? 0, secretFile });
  });
  after(async () => {
    await hub?.stop();
    removeTempDirs();
  });

  it('is shown with all members, why the others cannot be asked, and what it waits for', async () => {
    const shown = await until(
      'the other was tried',
      async () => (await table()).includes('ECONNREFUSED') && table(),
      30_000,
    );
    assert.match(shown, /^1 +ws:\S+ +- .*unreachable: connect ECONNREFUSED/m);
    assert.match(shown, /^2 +ws:\S+ +learner .* ok *$/m);
    assert.match(shown, /Problem: +This node has just joined, and waits/);
    assert.equal((await hubCommand(dataDir, 'status', '--exit-code')).code, 1);
  });

  it('does not say of one that is about to join that it lost its data', async () => {
    const close = await openFormationDoor({
      ...{ host: '127.0.0.1', port: ports[0] ?? 0, certificate: undefined, answer: undefined },
      secret: fs.readFileSync(secretFile, 'utf8').trim(),
      info: { state: 'forming', uid: 'uid-of-node-1', address: addressOf(0), peers: [addressOf(0), addressOf(1)] },
      warn: () => undefined,
      crash: () => undefined,
    });
    try {
      await until(
        'it is asked',
        async () => (await table()).includes('unreachable: it is about to join the cluster'),
        30_000,
      );
    } finally {
      await close();
    }
  });
});
