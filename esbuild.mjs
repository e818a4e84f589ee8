// Bundles the products (dist/) and, with --tests, the test files (dist-test/). CommonJS throughout: several
// dependencies fail in ESM bundles with "Dynamic require".
import * as esbuild from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';

const version = JSON.parse(fs.readFileSync('package.json', 'utf8')).version;

/** Entry points of the shipped bundles, by output name. */
const products = {
  ctx: 'cli/main.ts',
  hub: 'hub/main.ts',
  'log-checker': 'hub/store/stretch-worker.ts',
  client: 'cli/client-commands.ts',
  extension: 'extension/extension.ts',
  'language-server': 'extension/language/server-main.ts',
};

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: true,
  logLevel: 'warning',
  define: { CTX_VERSION: JSON.stringify(version) },
};

function existing(entries) {
  return Object.fromEntries(Object.entries(entries).filter(([, file]) => fs.existsSync(file)));
}

/** Folder of the package that a bundled file came from, or undefined for a file of ours. */
function packageFolder(input) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
}

/** Name, version and licence text of every package that really is in the bundles. */
function thirdPartyNotices(inputs) {
  const folders = [...new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined))].sort();
  const notices = folders.map((folder) => {
    const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = fs.readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (license === undefined && file === undefined) throw new Error(`${name} has no licence: it must not be bundled`);
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : fs.readFileSync(path.join(folder, file), 'utf8').trim()}`;
  });
  return `This product contains the following third-party software.\n\n${notices.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** The shipped bundles, into any folder; `plugins` may change the sources on the way, `define` what is built in. */
export function bundleProducts(outdir, plugins = [], define = {}) {
  return esbuild.build({
    ...shared,
    define: { ...shared.define, ...define },
    metafile: true,
    entryPoints: existing(products),
    outdir,
    // Bundles load one another at run time, so that a command pays only for what it uses.
    external: ['vscode', './hub.js', './client.js', './ctx.js'],
    minify: !process.argv.includes('--dev'),
    keepNames: true,
    plugins,
  });
}

export async function buildProducts() {
  const { metafile } = await bundleProducts('dist');
  fs.writeFileSync('dist/ThirdPartyNotices.txt', thirdPartyNotices(Object.keys(metafile.inputs)));
  if (fs.existsSync('dist/ctx.js')) fs.chmodSync('dist/ctx.js', 0o755);
}

/** Test files, each into one file below `outdir` in the same folders as in test/; packages stay external. */
export function bundleTests(files, outdir, plugins = []) {
  return esbuild.build({
    ...shared,
    entryPoints: files,
    outbase: 'test',
    outdir,
    packages: 'external',
    external: ['vscode'],
    plugins,
  });
}

/** Every *.test.ts of test/. */
export async function buildTests() {
  const files =
    fs.globSync?.('test/**/*.test.ts') ??
    fs
      .readdirSync('test', { recursive: true })
      .filter((f) => f.endsWith('.test.ts'))
      .map((f) => path.join('test', f));
  // Loaded by the extension host, and by the runner of the extension's tests.
  const suites = ['test/extension/suite/index.ts', 'test/extension/legs.ts'].filter((file) => fs.existsSync(file));
  await bundleTests([...files, ...suites], 'dist-test');
}

/** The bench and the processes it starts: dist-test/bench/. */
export async function buildBench() {
  const folder = 'test/bench';
  await esbuild.build({
    ...shared,
    entryPoints: [
      'main.ts',
      'floors/raw-fan-out-server.ts',
      'floors/bare-log-server.ts',
      'floors/bare-replica-server.ts',
    ].map((file) => path.join(folder, file)),
    outbase: folder,
    outdir: 'dist-test/bench',
    packages: 'external',
  });
}

if (process.argv[1] && path.resolve(process.argv[1]) === import.meta.filename) {
  await buildProducts();
  if (process.argv.includes('--tests')) await buildTests();
  if (process.argv.includes('--bench')) await buildBench();
}
