// Programs of the system that tests and benches use: installed from Debian's packages when they are missing, as root only.
import { spawnSync } from 'node:child_process';

const isThere = (command) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', command]).status === 0;

/**
 * @param packages by command: the Debian package that brings it
 * @param beside packages that are wanted as well when something is missing
 * @returns why something is still missing, `undefined` when nothing is
 */
export function installMissing(packages, beside = []) {
  const missing = () => Object.keys(packages).filter((command) => !isThere(command));
  const lacking = missing();
  if (lacking.length === 0) return undefined;
  const wanted = [...new Set([...lacking.map((command) => packages[command]), ...beside])];
  if (!isThere('apt-get')) return `No apt-get here: install ${wanted.join(', ')} yourself.`;
  if (process.getuid?.() !== 0) return `Not root: run "sudo apt-get install ${wanted.join(' ')}" yourself.`;
  // RUNLEVEL=1 keeps the packages from starting their services: what is tested starts its own, on free ports of 127.0.0.1.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args) => spawnSync('apt-get', ['--quiet', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
  apt('update');
  apt('install', '--yes', '--no-install-recommends', ...wanted);
  const still = missing();
  return still.length === 0 ? undefined : `apt-get did not bring ${still.join(', ')}.`;
}
