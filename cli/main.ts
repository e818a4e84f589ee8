#!/usr/bin/env node
/** The `ctx` process: joins {@link run} to this process's arguments, streams and signals. */
import { processIo } from '../core/node/process-io';
import { run } from './run';

void run(process.argv.slice(2), processIo()).then((code) => {
  process.exitCode = code;
});
