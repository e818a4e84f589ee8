// `npm run package`: builds, and packs the VS Code extension as ctx-hub.vsix (or --out file) without its sources or packages.
import fs from 'node:fs';
import path from 'node:path';
import { build, ensureInstalled, root, runOrEnd } from './prepare.mjs';

/** The whole product, hub and command line included, stays below this. */
const MAX_BYTES = 2 * 1024 * 1024;

const at = process.argv.indexOf('--out');
const out = path.resolve(at === -1 ? path.join(root, 'ctx-hub.vsix') : (process.argv[at + 1] ?? 'ctx-hub.vsix'));

if (!process.argv.includes('--no-build')) {
  ensureInstalled();
  build();
}
const vsce = path.join(root, 'node_modules/@vscode/vsce/vsce');
runOrEnd(process.execPath, [
  vsce,
  'package',
  '--no-dependencies',
  '--no-rewrite-relative-links',
  '--allow-missing-repository',
  '--out',
  out,
]);
const { size } = fs.statSync(out);
console.log(`${out}: ${(size / 1024).toFixed(0)} KiB`);
if (size > MAX_BYTES) {
  console.error(`That is more than ${MAX_BYTES / 1024} KiB: look at .vscodeignore and at what the bundles pull in.`);
  process.exit(1);
}
