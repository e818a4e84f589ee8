// `npm run sim -- …`: bundles the simulation and runs it; see command.ts for the options.
import * as esbuild from 'esbuild';
import { createRequire } from 'node:module';

const outfile = 'dist-test/simulation/command.js';
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
process.setSourceMapsEnabled(true);
const { main } = createRequire(import.meta.url)(`../../${outfile}`);
process.exitCode = main(process.argv.slice(2));
