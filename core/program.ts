/** The face of a program that a process, a test or another bundle can run: arguments in, exit code out. */

export interface ProgramIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Everything on standard input, as UTF-8 text. */
  readonly readStdin: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Aborted on SIGINT and SIGTERM: the program ends in order. */
  readonly signal: AbortSignal;
}

/** A world in which nothing is said or asked: for looking at a program's commands without running one. */
export const QUIET_IO: ProgramIo = {
  stdout: () => undefined,
  stderr: () => undefined,
  readStdin: () => Promise.resolve(''),
  env: {},
  cwd: '/',
  stdinIsTty: false,
  stdoutIsTty: false,
  stderrIsTty: false,
  signal: new AbortController().signal,
};

/** @returns the exit code; never throws for operating faults. */
export type Program = (argv: readonly string[], io: ProgramIo) => Promise<number>;
