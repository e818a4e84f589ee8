/** How long a share takes until it stands in the feed of another project, the editor's own work included. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { connectBoth, extensionApi, project, run, show } from './host';
import { say } from './say';

const SHARES = 60;
/** For one share: when it is lost, not when it is slow. */
const DEADLINE_MS = 30_000;

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;

describe('from share to feed', () => {
  before(connectBoth);

  it('is measured, and each one arrives', async () => {
    await show(project('alpha').files.task);
    const { feed } = await extensionApi();
    const times: number[] = [];
    for (let at = 0; at < SHARES; at++) {
      const title = `Measured share ${at}`;
      const began = performance.now();
      const command = run('shareTask', { title });
      // Looked at between any two turns of the event loop, which is where arrivals come in.
      while (feed.rows[0]?.entry.title !== title && feed.heldCount === 0) {
        assert.ok(performance.now() - began < DEADLINE_MS, `${title} did not arrive`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      times.push(performance.now() - began);
      await command;
    }
    times.sort((a, b) => a - b);
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
    say(`share to feed, local file and hub on disk: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms of ${SHARES}`);
  }).timeout(120_000);
});
