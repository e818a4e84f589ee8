/** A hub in this process: says where it is, serves until it is asked to stop, ends in order. */
import path from 'node:path';
import type { Logger } from 'pino';
import { HubError } from '../core/errors';
import { showProgress } from '../core/node/progress';
import { jsonAnswer, type HubCommandContext } from './commands/context';
import { asIoError } from './commands/offline';
import type { HubConfig } from './config';
import { reportToParent } from './daemon-report';
import { startHub, type StartedHub } from './lifecycle';
import { openLog } from './log';

export interface ServeFlags {
  readonly json?: boolean;
  /** Set for the process behind `--daemon`: it logs to a file and talks to its parent instead of a terminal. */
  readonly daemonChild?: boolean;
}

/** Heads the progress of a start. */
export const READING_LOG = 'Reading the log';
const STANDARD_ERROR = 2;
/** A stop that takes longer than this is stuck: the log says so and the process ends (acknowledged entries are on disk). */
const STOP_DEADLINE_MS = 60_000;
const BUG_EXIT_CODE = 70;

export const hubLogPath = (dataDir: string): string => path.join(dataDir, 'hub.log');

/**
 * What `ctx hub start` prints. @param showToken to somebody who reads it now: standard output that a service manager keeps
 * is no place for a secret, and there the file is named instead
 */
function announcement(hub: StartedHub, asJson: boolean, showToken: boolean): string {
  if (asJson) {
    return jsonAnswer('hub_started', {
      address: hub.address,
      data_dir: hub.dataDir,
      pid: process.pid,
      ...(hub.fingerprint === undefined ? {} : { fingerprint: hub.fingerprint }),
      admin_token_file: hub.adminTokenFile,
      ...(hub.adminToken === undefined || !showToken ? {} : { admin_token: hub.adminToken }),
    });
  }
  const lines = [`ctx hub listening on ${hub.address}`, `Data directory: ${hub.dataDir}`];
  if (hub.fingerprint !== undefined) lines.push(`Certificate fingerprint (SHA-256): ${hub.fingerprint}`);
  if (hub.adminToken !== undefined) {
    const where = `kept in ${hub.adminTokenFile}`;
    lines.push(showToken ? `Admin token (shown once, ${where}): ${hub.adminToken}` : `Admin token: ${where}`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Fails closed (S38): whatever nobody expected ends the process, and nothing more is acknowledged. What has a name ends it with
 * the exit code of that, and no stack.
 */
function crashOn(log: () => Logger | undefined): (error: unknown) => void {
  const crash = (error: unknown): void => {
    if (error instanceof HubError) {
      log()?.fatal({ code: error.code }, error.message);
      process.stderr.write(`ctx: ${error.message}\n`);
      process.exit(error.facts.exit);
    }
    const err = error instanceof Error ? error : new Error(String(error));
    const logger = log();
    if (logger === undefined) process.stderr.write(`ctx: ${err.stack ?? err.message}\n`);
    else logger.fatal({ err }, 'an unexpected error: the hub stops');
    process.exit(BUG_EXIT_CODE);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  return crash;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

export async function serve(config: HubConfig, flags: ServeFlags, { io, version }: HubCommandContext): Promise<number> {
  let log: Logger | undefined;
  const report = flags.daemonChild === true ? reportToParent() : undefined;
  const destination = report === undefined ? STANDARD_ERROR : hubLogPath(config.dataDir);
  const crash = crashOn(() => log);
  const progress = showProgress(io, READING_LOG);
  let hub: StartedHub;
  try {
    hub = await startHub({
      config,
      version,
      crash,
      signal: io.signal,
      onProgress: report?.reading ?? progress.update,
      onWaiting: (message) => report?.waiting(message),
      openLog: (failed) => (log = openLog(destination, failed)),
    });
  } catch (thrown) {
    const error = asIoError(thrown, `The hub of ${config.dataDir} cannot start`);
    if (!(error instanceof HubError)) throw error;
    if (error.code === 'going_away' && report === undefined) {
      // Called off while it waited for other nodes: the same stop in order as of a hub that serves.
      log?.info(error.message);
      return 0;
    }
    log?.fatal({ code: error.code }, error.message);
    report?.failed(error);
    throw error;
  } finally {
    progress.end();
  }
  // From here on the hub works, whether anybody can read what it says or not.
  process.stdout
    .removeAllListeners('error')
    .on('error', (error) => log?.warn({ err: error }, 'standard output failed'));
  const text = announcement(hub, flags.json === true, report !== undefined || io.stdoutIsTty);
  if (report === undefined) io.stdout(text);
  else report.serving(text);
  await Promise.race([aborted(hub.stopRequested), aborted(io.signal)]);
  setTimeout(() => crash(new Error(`stopping took more than ${STOP_DEADLINE_MS} ms`)), STOP_DEADLINE_MS).unref();
  await hub.stop();
  return 0;
}
