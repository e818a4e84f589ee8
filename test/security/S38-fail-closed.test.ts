/** S38: what nobody expected ends the hub with a word in its log; nothing is acknowledged after it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { registerClient, startHub } from '../support/hub-process';
import { removeTempDirs, tempDir } from '../support/processes';
import { shared } from '../support/shared-entry';

/** A bug that strikes when a file appears, loaded into the hub's process from outside. */
const PLANTED = (trigger: string, bug: string): string => `
  const fs = require('node:fs');
  setInterval(() => { if (fs.existsSync(${JSON.stringify(trigger)})) { ${bug} } }, 5).unref();
`;

const BUGS = {
  'an exception that nobody catches': 'throw new Error("planted bug")',
  'a rejection that nobody handles': 'Promise.reject(new Error("planted bug"))',
};

describe('S38: an unexpected error fails closed', () => {
  after(removeTempDirs);

  for (const [what, bug] of Object.entries(BUGS)) {
    it(`${what} ends the hub with code 70 and a log line; what was acknowledged is kept`, async () => {
      const folder = tempDir('ctx-bug');
      const trigger = path.join(folder, 'now');
      const script = path.join(folder, 'bug.cjs');
      fs.writeFileSync(script, PLANTED(trigger, bug));
      const hub = await startHub({ env: { NODE_OPTIONS: `--require ${script}` }, args: ['--no-rate-limit'] });
      const { token } = await registerClient(hub, 'alpha');
      const session = await openSession({ address: hub.address, token });
      const acknowledged: string[] = [];
      const storm = async (): Promise<void> => {
        for (let i = 0; ; i++) {
          if (i === 20) fs.writeFileSync(trigger, '');
          await session.publish([shared(`e-${i}`)]);
          acknowledged.push(`e-${i}`);
        }
      };
      await assert.rejects(storm());
      const ended = await hub.process.finished;
      assert.equal(ended.code, 70);
      assert.match(ended.stderr, /"level":60.*planted bug/);
      assert.ok(acknowledged.length >= 20);
      const again = await startHub({ dataDir: hub.dataDir });
      const log = fs.readFileSync(path.join(hub.dataDir, 'entries.jsonl'), 'utf8').trim().split('\n');
      const stored = log.map((line) => (JSON.parse(line) as { id: string }).id);
      assert.deepEqual(stored.slice(0, acknowledged.length), acknowledged);
      assert.equal((await again.stop()).code, 0);
    });
  }
});
