/** This process as a {@link ProgramIo}. */
import type { ProgramIo } from '../program';

async function readAll(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** A reader that went away (`ctx list | head`) is no error of ours. */
function endQuietlyOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

export function processIo(): ProgramIo {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(signal));
  process.stdout.on('error', endQuietlyOnBrokenPipe);
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    readStdin: readAll,
    env: process.env,
    cwd: process.cwd(),
    // Asked for only when used: the streams cost start-up time.
    get stdinIsTty() {
      return process.stdin.isTTY;
    },
    get stdoutIsTty() {
      return process.stdout.isTTY;
    },
    signal: abort.signal,
  };
}
