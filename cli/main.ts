#!/usr/bin/env node
/** The `ctx` process: joins {@link run} to this process's arguments, streams and signals. */
import { processIo } from '../core/node/process-io';

declare const CTX_VERSION: string;

const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  // Asked often and by scripts: answered before anything else is loaded.
  process.stdout.write(`${CTX_VERSION}\n`);
} else {
  void import('./run')
    .then(({ run }) => run(argv, processIo()))
    .then((code) => {
      process.exitCode = code;
    });
}
