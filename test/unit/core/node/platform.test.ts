/** Who is alive, as the operating system tells it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { isProcessAlive, processStartTime } from '../../../../core/node/platform';
import { until } from '../../../support/processes';

describe('processes', () => {
  it('we live, and have a start time that stays', () => {
    assert.equal(isProcessAlive(process.pid), true);
    assert.equal(processStartTime(process.pid), processStartTime(process.pid));
  });

  it('one that was killed and is not collected by its parent is dead', async function () {
    if (process.platform !== 'linux') this.skip();
    // The shell starts a child, becomes a program that never collects children, and the child ends as a zombie.
    const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; exit 0" & exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const pid = await new Promise<number>((resolve) =>
        parent.stdout.once('data', (text: Buffer) => resolve(Number(text.toString()))),
      );
      await until('it is a zombie', () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
      assert.equal(isProcessAlive(pid), false);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
