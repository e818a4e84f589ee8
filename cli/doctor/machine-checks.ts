/** What `ctx doctor` looks at on this machine, connected or not: version, the user folder, the key, the disk. Changes nothing. */
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { CODE_FACTS } from '../../core/errors';
import { keyFile } from '../../core/node/connection-file';
import { ctxHome } from '../../core/node/ctx-home';
import { isOpenToOthers } from '../../core/node/platform';
import type { ProgramIo } from '../../core/program';
import { shown } from '../output';
import { failed, ok, skipped, warning, type Check } from './check';

/** Below this a hub or an outbox soon has no room. */
const LITTLE_SPACE_BYTES = 100 * 1024 * 1024;
const NO_SPACE_BYTES = 1024 * 1024;
const KEY_BYTES = 32;
const MIN_NODE = [20, 18] as const;

export function checkVersion(version: string): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const what = `ctx ${version} on Node ${process.versions.node}`;
  const old = major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1]);
  if (!old) return ok('version', what);
  return failed(
    'version',
    `${what} is too old`,
    `Install Node ${MIN_NODE.join('.')} or newer.`,
    CODE_FACTS.config.exit,
  );
}

/** Root may do everything: what is asked is the mode, and whether this user may. */
async function mayWrite(dir: string): Promise<boolean> {
  return fsp.access(dir, fs.constants.W_OK | fs.constants.X_OK).then(
    () => true,
    () => false,
  );
}

export async function checkUserFolder({ env }: ProgramIo): Promise<Check> {
  const home = ctxHome(env);
  const stats = await fsp.stat(home).catch(() => undefined);
  if (stats === undefined) {
    const parent = path.dirname(home);
    if (await mayWrite(parent)) return ok('permissions', `${shown(home)} is made when it is needed`);
    const next = `Make it, or name another folder with CTX_HOME.`;
    return failed('permissions', `${shown(home)} is not there and cannot be made`, next, CODE_FACTS.cannot_create.exit);
  }
  if (!stats.isDirectory()) {
    return failed('permissions', `${shown(home)} is no folder`, 'Move it away.', CODE_FACTS.cannot_create.exit);
  }
  if (!(await mayWrite(home))) {
    const next = `Check its owner and mode: ls -ld ${shown(home)}`;
    return failed('permissions', `${shown(home)} cannot be written by this user`, next, CODE_FACTS.cannot_create.exit);
  }
  if (isOpenToOthers(stats.mode)) {
    const next = `Close it: chmod 700 ${shown(home)}`;
    return warning('permissions', `${shown(home)} is open to other users of this machine`, next);
  }
  return ok('permissions', `${shown(home)} is this user's alone`);
}

export async function checkKeyFile({ env }: ProgramIo, isConnected: boolean): Promise<Check> {
  const file = keyFile(env);
  const stats = await fsp.lstat(file).catch(() => undefined);
  const again = 'Register again: ctx connection register <address>.';
  if (stats === undefined) {
    if (!isConnected) return ok('key file', 'none yet; the first registration makes it');
    return failed(
      'key file',
      `${shown(file)} is not there, so the connection cannot be opened`,
      again,
      CODE_FACTS.config.exit,
    );
  }
  if (!stats.isFile() || stats.size !== KEY_BYTES) {
    return failed('key file', `${shown(file)} is no key of ${KEY_BYTES} bytes`, again, CODE_FACTS.config.exit);
  }
  if (isOpenToOthers(stats.mode)) {
    const next = `Close it: chmod 600 ${shown(file)}`;
    return failed(
      'key file',
      `${shown(file)} can be read by other users of this machine`,
      next,
      CODE_FACTS.config.exit,
    );
  }
  return ok('key file', shown(file));
}

const inMiB = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MiB`;

/** The nearest folder that is there. */
function existing(dir: string): string {
  let at = path.resolve(dir);
  while (!fs.existsSync(at) && path.dirname(at) !== at) at = path.dirname(at);
  return at;
}

export async function checkDisk({ env, cwd }: ProgramIo): Promise<Check> {
  const places = [...new Set([existing(cwd), existing(ctxHome(env))])];
  let least = { place: cwd, bytes: Infinity };
  for (const place of places) {
    const stats = await fsp.statfs(place).catch(() => undefined);
    const bytes = stats === undefined ? Infinity : stats.bavail * stats.bsize;
    if (bytes < least.bytes) least = { place, bytes };
  }
  const { place, bytes } = least;
  if (bytes === Infinity) return skipped('disk', 'how much is free is not known here');
  const what = `${inMiB(bytes)} free at ${shown(place)}`;
  if (bytes < NO_SPACE_BYTES) return failed('disk', what, 'Free some space.', CODE_FACTS.disk_full.exit);
  return bytes < LITTLE_SPACE_BYTES ? warning('disk', what, 'Free some space soon.') : ok('disk', what);
}
