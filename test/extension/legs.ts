/** The legs of the extension's tests, one after the other, and their counts. A leg that cannot run is skipped by name. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { NOTHING, plus, type Counts } from './support/counts';
import { runOnDesktop } from './support/desktop-run';
import { makeWorkspace } from './support/fixture';
import { runInHost } from './support/host-run';
import { runUi } from './support/ui-run';
import type { ServerInstall } from './support/workbench';

export interface LegsOptions {
  readonly root: string;
  readonly chrome: string;
  /** The first one is the current version, the second, when given, the floor. */
  readonly servers: readonly { readonly version: string; readonly install: ServerInstall }[];
  /** Names of legs; all when undefined. */
  readonly only: readonly string[] | undefined;
}

interface Leg {
  readonly name: string;
  readonly run: () => Promise<Counts>;
}

const HOST_DEADLINE_MS = 120_000;
function packageVsix(root: string, dir: string): string {
  const file = path.join(dir, 'ctx-hub.vsix');
  execFileSync(process.execPath, ['scripts/package.mjs', '--no-build', '--out', file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return file;
}

function legsOf(options: LegsOptions, vsix: () => string): Leg[] {
  const { root, chrome } = options;
  return options.servers.flatMap(({ install }, at): Leg[] => {
    const prefix = at === 0 ? '' : 'floor-';
    const host = { install, chrome, root, deadlineMs: HOST_DEADLINE_MS, fixture: makeWorkspace };
    return [
      { name: `${prefix}host`, run: () => runInHost(host) },
      { name: `${prefix}vsix`, run: () => runInHost({ ...host, vsix: vsix() }) },
      {
        name: `${prefix}ui`,
        run: () =>
          runUi(root, {
            install,
            chrome,
            vsix: vsix(),
            shots: path.join(root, 'test-output/screenshots', `${prefix}ui`),
          }),
      },
    ];
  });
}

export async function runLegs(options: LegsOptions): Promise<Counts> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-vsix-'));
  let packaged: string | undefined;
  const vsix = (): string => (packaged ??= packageVsix(options.root, dir));
  fs.mkdirSync(path.join(options.root, 'test-output/screenshots'), { recursive: true });
  let sum = NOTHING;
  try {
    for (const leg of legsOf(options, vsix).filter(({ name }) => options.only?.includes(name) ?? true)) {
      console.log(`\n--- extension: ${leg.name}`);
      const began = performance.now();
      const counts = await leg.run().catch((error: unknown): Counts => {
        console.log(`FAILED  extension ${leg.name}:`, error);
        return { ...NOTHING, failed: 1 };
      });
      console.log(
        `${leg.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped ` +
          `(${((performance.now() - began) / 1000).toFixed(1)} s)`,
      );
      sum = plus(sum, counts);
    }
    return sum;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Where the server cannot run: the suite in a desktop VS Code if one can be had, the rest skipped by name. */
export async function desktopLeg({ root, why }: { root: string; why: string }): Promise<Counts> {
  console.log(`\n--- extension: ${why}`);
  const ran = await runOnDesktop(root);
  const missed = [...(ran === undefined ? ['host (desktop VS Code cannot be downloaded here)'] : []), 'vsix', 'ui'];
  for (const name of missed) console.log(`skipped: extension ${name}`);
  return plus(ran ?? NOTHING, { ...NOTHING, skipped: missed.length });
}
