/** `ctx hub start --daemon`: starts the hub as a process of its own, and stays until it serves or says why it cannot. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { HubError } from '../core/errors';
import { showProgress } from '../core/node/progress';
import type { HubCommandContext } from './commands/context';
import type { HubConfig } from './config';
import { failureOf, parseReport, type DaemonOutcome } from './daemon-report';
import { hubLogPath, READING_LOG, type ServeFlags } from './serve';

/** For each word of the child: while it reads a large log it says so again and again. */
const SILENCE_DEADLINE_MS = 120_000;

/** The command line once more, for the child. Paths are resolved against the same folder: it inherits it. */
function childArguments(argv: readonly string[]): string[] {
  return [path.join(__dirname, 'ctx.js'), 'hub', ...argv.filter((each) => each !== '--daemon'), '--daemon-child'];
}

function outcomeOf(
  child: ChildProcess,
  config: HubConfig,
  onReading: (done: number, all: number) => void,
  onWaiting: (text: string) => void,
): Promise<DaemonOutcome> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new HubError('cannot_create', `The hub did not start: ${why}. See ${hubLogPath(config.dataDir)}`));
    };
    // For nodes that somebody has to start: that takes as long as it takes.
    let isWaiting = false;
    const timer = setTimeout(() => {
      if (isWaiting) return;
      child.kill();
      fail(`it said nothing for ${SILENCE_DEADLINE_MS / 1_000} s`);
    }, SILENCE_DEADLINE_MS);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`its process ended with ${signal ?? `code ${code ?? '?'}`}`));
    child.on('message', (message) => {
      const report = parseReport(message);
      if (report === undefined) fail('it said something unexpected');
      else if (report.kind === 'reading') {
        isWaiting = false;
        timer.refresh();
        onReading(report.done, report.all);
      } else if (report.kind === 'waiting') {
        isWaiting = true;
        onWaiting(report.text);
      } else {
        clearTimeout(timer);
        resolve(report);
      }
    });
  });
}

export async function startDaemon(config: HubConfig, _flags: ServeFlags, context: HubCommandContext): Promise<number> {
  const child = spawn(process.execPath, childArguments(context.argv), {
    cwd: context.io.cwd,
    env: context.io.env,
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    windowsHide: true,
  });
  const progress = showProgress(context.io, READING_LOG);
  const onWaiting = (text: string): void => context.io.stderr(`ctx: ${text}\n`);
  // Whoever interrupts a start calls it off.
  const callOff = (): void => void child.kill();
  context.io.signal.addEventListener('abort', callOff);
  const report = await outcomeOf(child, config, progress.update, onWaiting).finally(() => {
    context.io.signal.removeEventListener('abort', callOff);
    progress.end();
  });
  child.removeAllListeners();
  if (child.connected) child.disconnect();
  child.unref();
  if (report.kind === 'failed') throw failureOf(report);
  context.io.stdout(report.text);
  return 0;
}
