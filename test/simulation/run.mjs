// `npm run sim -- …`: bundles the simulation and runs it; see command.ts for the options. `--workers N` shares a range of
// seeds out to N processes and adds their results up.
import * as esbuild from 'esbuild';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const outfile = 'dist-test/simulation/command.js';

async function bundle() {
  await esbuild.build({
    entryPoints: ['test/simulation/command.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: true,
    logLevel: 'error',
  });
}

/** One range of seeds in a process of its own. @returns its counts; a process that ended without them failed */
function work(from, seeds, rest) {
  return new Promise((resolve) => {
    const args = [process.argv[1], '--bundled', '--from', String(from), '--seeds', String(seeds), ...rest];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
      process.stdout.write(text.replaceAll(/^\d+ passed, \d+ failed\n/gm, ''));
    });
    child.once('close', () => {
      const counts = /^(\d+) passed, (\d+) failed\n$/m.exec(out);
      if (counts === null) console.log(`FAILED  seeds ${from} to ${from + seeds - 1}: their process gave no counts`);
      resolve(counts === null ? [0, seeds] : [Number(counts[1]), Number(counts[2])]);
    });
  });
}

async function share(workers, args) {
  const take = (name, fallback) => {
    const at = args.indexOf(`--${name}`);
    return at === -1 ? fallback : Number(args.splice(at, 2)[1]);
  };
  const from = take('from', 1);
  const seeds = take('seeds', 1_000);
  const each = Math.ceil(seeds / workers);
  const ranges = Array.from({ length: workers }, (_, at) => [from + at * each, Math.min(each, seeds - at * each)]);
  const counts = await Promise.all(
    ranges.filter(([, some]) => some > 0).map(([first, some]) => work(first, some, args)),
  );
  const failed = counts.reduce((sum, [, no]) => sum + no, 0);
  console.log(`\n${counts.reduce((sum, [yes]) => sum + yes, 0)} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

const args = process.argv.slice(2);
const bundled = args.indexOf('--bundled');
if (bundled === -1) await bundle();
else args.splice(bundled, 1);
const at = args.indexOf('--workers');
if (at === -1) {
  process.setSourceMapsEnabled(true);
  const { main } = createRequire(import.meta.url)(`../../${outfile}`);
  process.exitCode = main(args);
} else {
  const workers = Number(args.splice(at, 2)[1]);
  process.exitCode = await share(workers, args);
}
