/** Server processes that the bench starts. Every one of them is ended by its own id, at the latest when the bench ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import net from 'node:net';

const STOP_GRACE_MS = 10_000;
const MAX_KEPT_OUTPUT = 20_000;

export interface Child {
  readonly pid: number;
  readonly name: string;
  /** The end of what it printed. */
  readonly output: () => string;
  readonly hasEnded: () => boolean;
  /** The first match in its output, at once or within the deadline. */
  readonly says: (pattern: RegExp, deadlineMs: number) => Promise<RegExpExecArray>;
  /** SIGTERM, then SIGKILL when that does not help. */
  readonly stop: () => Promise<void>;
}

const running = new Map<number, ChildProcess>();
process.once('exit', () => {
  for (const child of running.values()) child.kill('SIGKILL');
});

export const runningPids = (): readonly number[] => [...running.keys()];

export interface ChildOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

export function startChild(
  name: string,
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<Child> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
    child.once('spawn', () => resolve(watch(name, child)));
  });
}

function watch(name: string, child: ChildProcess): Child {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} has no process id`);
  running.set(pid, child);
  let output = '';
  let ended = false;
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((check) => check());
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_KEPT_OUTPUT);
      wake();
    });
  }
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      ended = true;
      running.delete(pid);
      wake();
      resolve();
    });
  });

  const says = (pattern: RegExp, deadlineMs: number): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        waiting.delete(check);
        act();
      };
      const give = (why: string): void => reject(new Error(`${name} ${why} before ${String(pattern)}: ${output}`));
      const check = (): void => {
        const match = pattern.exec(output);
        if (match !== null) finish(() => resolve(match));
        else if (ended) finish(() => give('ended'));
      };
      const timer = setTimeout(() => finish(() => give(`said nothing for ${deadlineMs} ms`)), deadlineMs);
      waiting.add(check);
      check();
    });

  const stop = async (): Promise<void> => {
    if (ended) return;
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await closed;
    clearTimeout(force);
  };
  return { pid, name, output: () => output, hasEnded: () => ended, says, stop };
}

/** A port of 127.0.0.1 that is free now, for servers that cannot choose one themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** Waits until the port of a starting server accepts connections. */
export async function accepts(child: Child, port: number, deadlineMs = 20_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await canConnect(port))) {
    if (child.hasEnded()) throw new Error(`${child.name} ended at once: ${child.output()}`);
    if (performance.now() > end) throw new Error(`${child.name} accepts no connection after ${deadlineMs} ms`);
    await pause(20);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Fails loudly when something the bench waits for does not come. */
export async function within<T>(what: string, deadlineMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
