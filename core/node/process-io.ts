/** This process as a {@link ProgramIo}. */
import type { ProgramIo } from '../program';
import { fileError } from './file-errors';

async function readAll(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** A reader that went away (`ctx list | head`) is no error of ours; a full disk behind standard output is one. */
function endOnOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  const failure = fileError(error, 'write to', 'standard output');
  process.stderr.write(`ctx: ${failure.message}\n`);
  process.exit(failure.facts.exit);
}

/** Caught only for programs that ask: whatever does not end in order on a signal, the signal ends. */
function signalOnInterrupt(): AbortSignal {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(signal));
  return abort.signal;
}

export function processIo(): ProgramIo {
  process.stdout.on('error', endOnOutputError);
  let signal: AbortSignal | undefined;
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    readStdin: readAll,
    env: process.env,
    get cwd() {
      try {
        return process.cwd();
      } catch (error) {
        throw fileError(error, 'read', 'the current folder');
      }
    },
    // Asked for only when used: the streams cost start-up time.
    get stdinIsTty() {
      return process.stdin.isTTY;
    },
    get stdoutIsTty() {
      return process.stdout.isTTY;
    },
    get stderrIsTty() {
      return process.stderr.isTTY;
    },
    get signal() {
      return (signal ??= signalOnInterrupt());
    },
  };
}
