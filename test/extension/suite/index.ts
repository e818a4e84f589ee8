/** What the extension host calls: runs every `*.test.js` beside this file and leaves the counts where the runner looks. */
import fs from 'node:fs';
import path from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';
import { SUITE_LINE } from '../support/suite-line';

export async function run(): Promise<void> {
  // The editor's own chatter goes through the same console: the runner shows marked lines only.
  Mocha.reporters.Base.consoleLog = (...args: unknown[]) => {
    for (const line of format(...args).split('\n')) console.log(SUITE_LINE + line);
  };
  const mocha = new Mocha({ ui: 'bdd', color: false, timeout: 30_000, reporter: 'spec' });
  const grep = process.env['CTX_TEST_GREP'];
  if (grep !== undefined && grep !== '') mocha.grep(new RegExp(grep));
  const files = fs.readdirSync(__dirname).filter((name) => name.endsWith('.test.js'));
  for (const name of files.sort()) mocha.addFile(path.join(__dirname, name));
  const failed = await new Promise<number>((resolve) => {
    const runner = mocha.run((failures) => {
      const result = process.env['CTX_TEST_RESULT'];
      if (result !== undefined) fs.writeFileSync(result, JSON.stringify(runner.stats ?? {}));
      resolve(failures);
    });
  });
  if (failed > 0) throw new Error(`${failed} tests failed`);
}
