// `npm run oracle [-- --from N --seeds M]`: a development-only differential run of our consensus core against another implementation, which is
// installed into test-output/oracle and is no dependency of anything. Closes with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkNode, ensureInstalled, root, runOrEnd } from './prepare.mjs';

const ORACLE = '@coaty/consensus.raft@1.0.0';
const FOLDER = path.join(root, 'test-output', 'oracle');

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : (process.argv[at + 1] ?? fallback);
}

function install() {
  if (fs.existsSync(path.join(FOLDER, 'node_modules', '@coaty', 'consensus.raft'))) return true;
  fs.mkdirSync(FOLDER, { recursive: true });
  fs.writeFileSync(path.join(FOLDER, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', FOLDER, ORACLE];
  const { status } = spawnSync('npm', args, { cwd: FOLDER, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) return false;
  // The package loads a database for parts that are not used here, and whose native half was not built.
  fs.writeFileSync(path.join(FOLDER, 'node_modules', 'sqlite3', 'lib', 'sqlite3.js'), 'module.exports = {};\n');
  return true;
}

process.chdir(root);
checkNode();
ensureInstalled();
if (!install()) {
  console.log(`not run: ${ORACLE} could not be installed\n\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
runOrEnd(process.execPath, ['test/oracle/run.mjs', FOLDER, option('from', '1'), option('seeds', '5000')]);
