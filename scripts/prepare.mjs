// Brings a clone to the point where it can run: a Node that is new enough, packages of the lockfile, bundles.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');

const FLOOR = [20, 18];

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1])) return;
  console.error(
    `ctx Hub needs Node ${FLOOR.join('.')} or newer; this is ${process.versions.node}. Get one from https://nodejs.org.`,
  );
  process.exit(78);
}

/** Runs a command to its end with its output shown; ends this process when it fails. */
export function runOrEnd(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (done.status === 0) return;
  console.error(`\n${[command, ...args].join(' ')} failed${done.error ? `: ${done.error.message}` : ''}.`);
  process.exit(done.status ?? 1);
}

/** npm as a script beside this Node, so that no shell is needed on any platform. */
function npm(args) {
  const cli = process.env.npm_execpath;
  if (cli !== undefined && /\.c?js$/.test(cli)) return runOrEnd(process.execPath, [cli, ...args]);
  return runOrEnd(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { shell: process.platform === 'win32' });
}

/** Installs what the lockfile says, unless that very lockfile is installed already. */
export function ensureInstalled() {
  const wanted = createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(root, 'node_modules', '.installed-lockfile');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return;
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  fs.writeFileSync(stamp, wanted);
}

export function build(...flags) {
  runOrEnd(process.execPath, ['esbuild.mjs', ...flags]);
}
