/** A thread that verifies stretches of the log. This is the entry point of the `log-checker.js` bundle. */
import { parentPort } from 'node:worker_threads';
import { checkStretch, type StretchFacts, type StretchJob } from './check-stretch';

/** The bytes go back to whoever lent them. */
export interface StretchDone {
  readonly bytes: Uint8Array;
  readonly facts: StretchFacts | undefined;
}

parentPort?.on('message', (job: StretchJob) => {
  const { bytes } = job;
  const done: StretchDone = { bytes, facts: checkStretch(job) };
  parentPort?.postMessage(done, [bytes.buffer as ArrayBuffer]);
});
