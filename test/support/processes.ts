/** Real processes of the built `ctx` for black-box tests: short commands, hubs, and places to run them in. */
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The built command; $CTX_DIST names another build, as the mutants' runner does. */
export const CTX = path.resolve(process.env['CTX_DIST'] ?? 'dist', 'ctx.js');

const running = new Set<ChildProcess>();
// Every bundle of tests brings its own copy of this file, and all of them run in one process.
process.setMaxListeners(0);
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A temporary folder that {@link removeTempDirs} (an `after` hook) removes. */
const made: string[] = [];
export function tempDir(name = 'ctx'): string {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`)));
  made.push(dir);
  return dir;
}

/** For an `after` hook. Processes that a failed test left running end first: they would keep the run from ending. */
export function removeTempDirs(): void {
  for (const child of running) child.kill('SIGKILL');
  for (const dir of made.splice(0)) fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Environment of a user of their own: nothing of this machine's user shows through. */
export function userEnv(home: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, USERPROFILE: home, NO_COLOR: '1', ...more };
  delete env['CTX_ADMIN_TOKEN'];
  delete env['CTX_HOME'];
  return Object.assign(env, more);
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** Words to put before the command: `['sh', '-c', 'ulimit …; exec "$@"', 'sh']`. */
  readonly wrap?: readonly string[];
  /** Another build's `ctx.js`. */
  readonly program?: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly finished: Promise<Finished>;
  /** Resolves with the first match in what standard output or error has said so far or says within the deadline. */
  readonly says: (pattern: RegExp, deadlineMs?: number) => Promise<RegExpExecArray>;
}

export function start(args: readonly string[], options: RunOptions): Running {
  const running = run([...(options.wrap ?? []), process.execPath, options.program ?? CTX, ...args], options);
  running.process.stdin?.end(options.stdin ?? '');
  return running;
}

/** Runs a program; its standard input stays open. */
export function run(command: readonly string[], options: Pick<RunOptions, 'cwd' | 'env'>): Running {
  const [program = process.execPath, ...words] = command;
  const child = spawn(program, words, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  child.stdin.on('error', () => undefined);
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((check) => check());
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    wake();
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, stdout, stderr });
      wake();
    });
  });
  const says = (pattern: RegExp, deadlineMs = 10_000): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(check);
      };
      const complain = (why: string): Error =>
        new Error(`${why} before ${String(pattern)} was said\n--- stdout\n${stdout}\n--- stderr\n${stderr}`);
      const check = (): void => {
        const match = pattern.exec(stdout) ?? pattern.exec(stderr);
        if (match !== null) {
          done();
          resolve(match);
        } else if (!running.has(child)) {
          done();
          reject(complain('the process ended'));
        }
      };
      const timer = setTimeout(() => {
        done();
        reject(complain(`${deadlineMs} ms went by`));
      }, deadlineMs);
      waiting.add(check);
      check();
    });
  return { process: child, stdout: () => stdout, stderr: () => stderr, finished, says };
}

/** Runs `ctx` to its end. */
export function ctx(args: readonly string[], options: RunOptions): Promise<Finished> {
  return start(args, options).finished;
}

/** Waits for a condition with a deadline: the only way a test may wait. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 10_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
