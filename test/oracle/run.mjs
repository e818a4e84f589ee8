// Bundles the differential run and starts it: `node test/oracle/run.mjs FOLDER FIRST SEEDS`; scripts/oracle.mjs installs the oracle into FOLDER.
import * as esbuild from 'esbuild';
import { createRequire } from 'node:module';

const outfile = 'dist-test/oracle/command.js';
await esbuild.build({
  entryPoints: ['test/oracle/command.ts'],
  ...{ outfile, bundle: true, platform: 'node', target: 'node20', format: 'cjs', sourcemap: true, logLevel: 'error' },
});
process.setSourceMapsEnabled(true);
const { main } = createRequire(import.meta.url)(`../../${outfile}`);
process.exitCode = main(process.argv.slice(2));
