/** Asks a person at a terminal. Questions go to standard error, so that standard output stays data. */
import readline from 'node:readline';
import { Writable } from 'node:stream';

/** Shows the question, takes a line without showing it. @throws the signal's reason */
export async function promptSecret(question: string, signal: AbortSignal): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const asked = readline.createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      asked.question('', { signal }, resolve);
      // Ctrl-C is a key here: the terminal sends no signal while it does not show what is typed.
      asked.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      asked.once('close', () => resolve(''));
    });
  } finally {
    asked.close();
    process.stderr.write('\n');
  }
}
