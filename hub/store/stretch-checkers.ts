/**
 * Threads that verify stretches of a long log while a hub starts, so that all of the machine's cores take part; the calling
 * thread takes what they have no room for. A thread that fails costs time, never an answer.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { checkStretch, type StretchJob } from './check-stretch';
import type { StretchDone } from './stretch-worker';

export interface StretchCheckers {
  /** About how long a stretch is best. */
  readonly stretchBytes: number;
  /** How many stretches can be under way. */
  readonly room: number;
  /** Takes the bytes over, and gives the same or others back. */
  readonly check: (job: StretchJob) => Promise<StretchDone>;
  readonly close: () => Promise<void>;
}

/** One under way, and one that waits so that no thread runs dry. */
const JOBS_PER_THREAD = 2;
const MAX_THREADS = 7;
const STRETCH_BYTES = 1024 * 1024;
/** Below this a start is short anyway. */
const MIN_BYTES = 32 * 1024 * 1024;
/** Beside the bundle that this file is in. */
const WORKER = path.join(__dirname, 'log-checker.js');

class Thread {
  private readonly waiting: ((done: StretchDone) => void)[] = [];
  private failed = false;
  private readonly worker: Worker;

  constructor(file: string) {
    this.worker = new Worker(file);
    this.worker.on('message', (done: StretchDone) => this.waiting.shift()?.(done));
    this.worker.on('error', this.fail);
    this.worker.on('exit', this.fail);
  }

  get hasRoom(): boolean {
    return !this.failed && this.waiting.length < JOBS_PER_THREAD;
  }

  check(job: StretchJob): Promise<StretchDone> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.worker.postMessage(job, [job.bytes.buffer as ArrayBuffer]);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  /** What it had is as good as not verified: somebody else reads it again. */
  private readonly fail = (): void => {
    this.failed = true;
    for (const done of this.waiting.splice(0)) done({ bytes: new Uint8Array(0), facts: undefined });
  };
}

export function openCheckers(file: string, threads: number, stretchBytes = STRETCH_BYTES): StretchCheckers {
  const pool = Array.from({ length: threads }, () => new Thread(file));
  return {
    stretchBytes,
    room: threads * JOBS_PER_THREAD + 1,
    check: (job) => {
      const free = pool.find((thread) => thread.hasRoom);
      return free?.check(job) ?? Promise.resolve({ bytes: job.bytes, facts: checkStretch(job) });
    },
    close: async () => {
      await Promise.all(pool.map((thread) => thread.close()));
    },
  };
}

/** For a log with so many bytes to verify. @returns undefined where threads would not help */
export function checkersFor(bytes: number): StretchCheckers | undefined {
  const threads = Math.min(os.availableParallelism() - 1, MAX_THREADS);
  if (threads < 1 || bytes < MIN_BYTES || !fs.existsSync(WORKER)) return undefined;
  return openCheckers(WORKER, threads);
}
