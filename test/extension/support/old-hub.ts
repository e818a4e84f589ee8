/** A local hub of an earlier version, as an update of the extension finds it: today's bundles that say they are older. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { CTX, userEnv } from '../../support/processes';
import { hubDataDir } from './hub';

const manifest = z.object({ version: z.string() });

export const CURRENT_VERSION = manifest.parse(JSON.parse(fs.readFileSync('package.json', 'utf8'))).version;
export const OLD_VERSION = '0.0.1';

/** Starts it detached for the user of `home`. @param dir where its bundles go */
export function startOldHub(home: string, dir: string, port: number): void {
  fs.mkdirSync(dir, { recursive: true });
  const dist = path.dirname(CTX);
  for (const name of fs.readdirSync(dist).filter((each) => each.endsWith('.js'))) {
    const text = fs.readFileSync(path.join(dist, name), 'utf8');
    fs.writeFileSync(path.join(dir, name), text.replaceAll(`"${CURRENT_VERSION}"`, `"${OLD_VERSION}"`));
  }
  const words = ['hub', 'start', '--daemon', '--port', String(port), '--data-dir', hubDataDir(home)];
  execFileSync(process.execPath, [path.join(dir, 'ctx.js'), ...words], { env: userEnv(home), stdio: 'pipe' });
}
