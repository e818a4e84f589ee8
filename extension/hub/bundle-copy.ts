/**
 * The command line's bundles outside the extension's folder: an update of the extension deletes that folder, and a hub that
 * runs from it, or a terminal that has it on its PATH, must not notice. Knows no editor.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { makePrivateDir, replaceFile } from '../../core/node/platform';

/** The one bundle that only the editor loads; all others are parts of `ctx` and load one another from the same folder. */
const EDITOR_BUNDLE = 'extension.js';

async function same(a: string, b: string): Promise<boolean> {
  try {
    const [left, right] = await Promise.all([fs.readFile(a), fs.readFile(b)]);
    return left.equals(right);
  } catch {
    // The copy is not there yet, or cannot be read: either way it is written again, and a real fault shows there.
    return false;
  }
}

/** Seen whole or not at all by whoever starts from the folder meanwhile. */
async function replace(file: string, data: string | Uint8Array, mode: number): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  await fs.writeFile(aside, data, { flag: 'wx', mode });
  await replaceFile(aside, file);
}

function shellLauncher(node: string, script: string): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  return `#!/bin/sh\nELECTRON_RUN_AS_NODE=1 exec ${quoted(node)} ${quoted(script)} "$@"\n`;
}

function windowsLauncher(node: string, script: string): string {
  return `@echo off\r\nsetlocal\r\nset ELECTRON_RUN_AS_NODE=1\r\n"${node}" "${script}" %*\r\n`;
}

export interface BundleCopy {
  /** `ctx.js` of the copy. */
  readonly script: string;
  /** Holds the launcher `ctx`, for the PATH of the integrated terminal. */
  readonly binDir: string;
}

/**
 * Copies what is missing or differs, and writes a launcher `ctx` that runs it with the editor's own Node.
 * @param distDir the extension's `dist`
 * @param home the user folder, see `ctxHome`
 */
export async function copyBundles(distDir: string, home: string, version: string): Promise<BundleCopy> {
  await makePrivateDir(home);
  const binDir = path.join(home, 'bin', version);
  await fs.mkdir(binDir, { recursive: true });
  const bundles = (await fs.readdir(distDir)).filter((name) => name.endsWith('.js') && name !== EDITOR_BUNDLE);
  for (const name of bundles) {
    const from = path.join(distDir, name);
    const to = path.join(binDir, name);
    if (!(await same(from, to))) await replace(to, await fs.readFile(from), 0o644);
  }
  const script = path.join(binDir, 'ctx.js');
  await replace(path.join(binDir, 'ctx'), shellLauncher(process.execPath, script), 0o755);
  await replace(path.join(binDir, 'ctx.cmd'), windowsLauncher(process.execPath, script), 0o644);
  return { script, binDir };
}
