/** FM-21: after a failed fsync nobody knows what is on disk. The hub says so, writes no more, and never tries it again. */
import assert from 'node:assert/strict';
import { openSession } from '../../core/node/hub-session';
import { diskFaults, diskFaultsImpossible } from '../support/faults/disk-faults';
import { registerClient, startHub } from '../support/hub-process';
import { hubCommand, logEntries, published } from '../support/hub-log';
import { removeTempDirs, tempDir } from '../support/processes';

describe('FM-21: fsync error', () => {
  before(function () {
    const why = diskFaultsImpossible();
    if (why === undefined) return;
    console.log(`      NOT RUN: ${why}`);
    this.skip();
  });
  after(removeTempDirs);

  it('the outcome is unknown, writing stops, reading goes on, and status says what to do', async () => {
    const faults = diskFaults(tempDir('ctx-faults'));
    const hub = await startHub({ env: faults.env });
    const { token } = await registerClient(hub, 'alpha');
    const session = await openSession({ address: hub.address, token });
    await session.publish([published('before')]);
    faults.command('sync-eio entries.jsonl');
    const failed = (error: unknown): true => {
      const { code, outcome } = error as { code?: string; outcome?: string };
      assert.deepEqual([code, outcome], ['store_failed', 'unknown']);
      return true;
    };
    await assert.rejects(session.publish([published('lost')]), failed);
    assert.ok(faults.happened(), 'the fault was really injected');
    // The disk is well again, but what it has is not known: nothing is pretended.
    await assert.rejects(session.publish([published('lost')]), failed);
    await assert.rejects(session.publish([published('another')]), failed);
    const page = await session.syncPage({});
    assert.deepEqual(
      page.entries.map((each) => each.id),
      ['before'],
    );
    await session.close();
    const status = await hubCommand(hub.dataDir, 'status', '--exit-code');
    assert.equal(status.code, 1);
    assert.match(status.stdout, /Problem: +.*entries\.jsonl: fdatasync failed.*restart the hub/);

    await hub.stop();
    const again = await startHub({ dataDir: hub.dataDir });
    const retry = await openSession({ address: again.address, token });
    const [result] = await retry.publish([published('lost')]);
    assert.ok(result !== undefined && 'sequence' in result);
    await retry.close();
    await again.stop();
    assert.deepEqual(
      logEntries(hub.dataDir).map((each) => each.id),
      ['before', 'lost'],
    );
  });

  it('a failed write, unlike a failed fsync, is taken back and refused, and the next one succeeds', async () => {
    const faults = diskFaults(tempDir('ctx-faults'));
    const hub = await startHub({ env: faults.env });
    const { token } = await registerClient(hub, 'alpha');
    const session = await openSession({ address: hub.address, token });
    await session.publish([published('before')]);
    faults.command('write-eio entries.jsonl');
    await assert.rejects(session.publish([published('refused')]), (error: unknown) => {
      const { code, outcome } = error as { code?: string; outcome?: string };
      assert.deepEqual([code, outcome], ['store_failed', 'refused']);
      return true;
    });
    assert.ok(faults.happened(), 'the fault was really injected');
    const [result] = await session.publish([published('after')]);
    assert.deepEqual(result, { id: 'after', sequence: 2, duplicate: false });
    await session.close();
    await hub.stop();
    assert.deepEqual(
      logEntries(hub.dataDir).map((each) => each.id),
      ['before', 'after'],
    );
  });

  it('an fsync that fails while clients.json is replaced leaves the old one', async () => {
    const faults = diskFaults(tempDir('ctx-faults'));
    const hub = await startHub({ env: faults.env });
    const { token } = await registerClient(hub, 'alpha', 'one@here');
    faults.command('sync-eio clients.json.new');
    await assert.rejects(registerClient(hub, 'alpha', 'two@here'));
    assert.ok(faults.happened(), 'the fault was really injected');
    const session = await openSession({ address: hub.address, token });
    await session.publish([published('e-1')]);
    await session.close();
    await hub.stop();
    const again = await startHub({ dataDir: hub.dataDir });
    const listed = await hubCommand(hub.dataDir, 'client', 'list', '--json');
    assert.deepEqual(
      (JSON.parse(listed.stdout) as { clients: { client: string }[] }).clients.map((each) => each.client),
      ['one@here'],
    );
    await again.stop();
  });
});
