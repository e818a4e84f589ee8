/** The built `ctx` on a pseudo-terminal: script(1) of util-linux holds its other end. */
import { spawnSync } from 'node:child_process';
import { CTX, run, type Finished, type RunOptions, type Running } from './processes';

/** False where there is no script(1) that runs a command: such tests are skipped, and say so. */
export const hasTerminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

export interface OnTerminal extends Running {
  /** As typed on the keyboard: `\r` is the Enter key, `\u0003` is Ctrl-C. */
  readonly type: (text: string) => void;
}

/**
 * Standard input, output and error are all the terminal; what it shows is {@link Running.stdout}, with CR LF for line ends.
 * @param redirect shell text after the command, such as `2>file`
 */
export function startOnTerminal(
  args: readonly string[],
  options: Pick<RunOptions, 'cwd' | 'env'>,
  redirect = '',
): OnTerminal {
  // exec, so that no shell stands between: dash answers Ctrl-C itself and hides how the command ended.
  const command = `exec ${[process.execPath, CTX, ...args].map(quoted).join(' ')} ${redirect}`;
  const env = { ...(options.env ?? process.env), SHELL: '/bin/sh' };
  const running = run(['script', '-qec', command, '/dev/null'], { ...options, env });
  return { ...running, type: (text) => void running.process.stdin?.write(text) };
}

/** Runs `ctx` on a terminal to its end. */
export function onTerminal(
  args: readonly string[],
  options: Pick<RunOptions, 'cwd' | 'env'>,
  redirect = '',
): Promise<Finished> {
  return startOnTerminal(args, options, redirect).finished;
}
