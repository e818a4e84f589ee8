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
): Promise<DaemonOutcome> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new HubError('cannot_create', `The hub did not start: ${why}. See ${hubLogPath(config.dataDir)}`));
    };
    const timer = setTimeout(() => {
      child.kill();
      fail(`it said nothing for ${SILENCE_DEADLINE_MS / 1_000} s`);
    }, SILENCE_DEADLINE_MS);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`its process ended with ${signal ?? `code ${code ?? '?'}`}`));
    child.on('message', (message) => {
      const report = parseReport(message);
      if (report === undefined) fail('it said something unexpected');
      else if (report.kind === 'reading') {
        timer.refresh();
        onReading(report.done, report.all);
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
  const report = await outcomeOf(child, config, progress.update).finally(progress.end);
  child.removeAllListeners();
  if (child.connected) child.disconnect();
  child.unref();
  if (report.kind === 'failed') throw failureOf(report);
  context.io.stdout(report.text);
  return 0;
}
