/** Runs a Node script to its end, as a user would. */
import { spawn } from 'node:child_process';

export interface RunIn {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** @throws Error with what it said on standard error, when it ends with anything but 0 */
export function runNode(args: readonly string[], { cwd, env }: RunIn): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${args.join(' ')} ended with ${String(code)}: ${complaint}`));
    });
  });
}
