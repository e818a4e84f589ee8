/** What a leader found out of a node that lost its log is kept; where the disk refuses that, the operator is told both (FM-23). */
import assert from 'node:assert/strict';
import { keepLost } from '../../../../../hub/engine/raft/lost-node';
import { newNodeFile, readNodeFile, writeNodeFile } from '../../../../../hub/engine/raft/node-file';
import { LostEntriesError } from '../../../../../hub/raft/invariant';
import type { Disk } from '../../../../../hub/store/disk';
import { nodeDisk } from '../../../../../hub/store/node-disk';
import { removeTempDirs, tempDir } from '../../../../support/processes';

const error = new LostEntriesError(9, 4);
const VERDICT = "ends at entry 4, but the leader has this node's word for 9: this node lost what it promised";

describe('a node that the leader found to have lost its log', () => {
  after(removeTempDirs);

  async function nodeFolder(): Promise<string> {
    const folder = tempDir('ctx-keep-lost');
    await writeNodeFile(nodeDisk, folder, newNodeFile('ws://127.0.0.1:1'));
    return folder;
  }

  it('keeps the verdict in its own file', async () => {
    const folder = await nodeFolder();
    const told = await keepLost(nodeDisk, folder, error);
    assert.deepEqual([told.code, told.message.includes(VERDICT)], ['bad_data', true], told.message);
    assert.match(String((await readNodeFile(nodeDisk, folder))?.lost), /word for 9/);
  });

  it('says the verdict, and that it is not kept, when the disk refuses', async () => {
    const folder = await nodeFolder();
    let refused = 0;
    const open: Disk['open'] = (file, mode) => {
      if (mode !== 'create') return nodeDisk.open(file, mode);
      refused += 1;
      return Promise.reject(new Error('ENOSPC: no space left on device'));
    };
    const told = await keepLost({ ...nodeDisk, open }, folder, error);
    assert.equal(refused, 1);
    assert.deepEqual([told.code, told.message.includes(VERDICT)], ['bad_data', true], told.message);
    assert.match(told.message, /could not be kept \(.*node\.json.*ENOSPC.*\): do not start it again/);
  });
});
