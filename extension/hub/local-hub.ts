/**
 * The hub on this machine that all windows share: found, started detached from a copy of the bundles, and stopped on request
 * only. Knows no editor.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CODE_FACTS, HubError } from '../../core/errors';
import { readHubFile, type HubFile } from '../../core/node/local-hub/hub-file';
import { findLocalHub } from '../../core/node/local-hub/local-control';
import { errnoOf } from '../../core/node/file-errors';
import type { Trust } from '../../core/node/registration';
import { copyBundles } from './bundle-copy';

export interface RunningHub extends HubFile {
  /** It runs and answers, but something is wrong with it. */
  readonly degraded: boolean;
}

export interface LocalHubOptions {
  readonly distDir: string;
  /** The user folder, see `ctxHome`. */
  readonly home: string;
  readonly dataDir: string;
  readonly port: number;
  readonly version: string;
  readonly log: (line: string) => void;
}

/** How many ports after the wanted one are tried. */
const PORTS_TO_TRY = 20;
/** A long log is verified before the hub serves. */
const START_TIMEOUT_MS = 130_000;
const STOP_TIMEOUT_MS = 20_000;
const PIPE_GRACE_MS = 500;
const ANSWER_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Our own variables would make the child an editor's helper instead of a plain Node. */
function childEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|ELECTRON_)/.test(name));
  return { ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: '1' };
}

/** Runs `ctx` to its end. Its output may hold a secret (the admin token): it is handed back, never logged. */
function runCtx(script: string, args: readonly string[], timeoutMs: number): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      env: childEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      windowsHide: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('exit', (code) => {
      const done = (): void => resolve({ code, stdout, stderr });
      child.once('close', done);
      // Should the detached hub keep a pipe open, what was said by now must do.
      setTimeout(done, PIPE_GRACE_MS).unref();
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** The port of the last run first: projects may have its address. */
function portsToTry(options: LocalHubOptions): readonly number[] {
  const last = readHubFile(options.dataDir)?.port;
  const next = Array.from({ length: PORTS_TO_TRY }, (_, at) => options.port + at);
  return [...new Set([...(last === undefined ? [] : [last]), ...next])].filter((port) => port <= 65_535);
}

export async function findRunningHub(dataDir: string): Promise<RunningHub | undefined> {
  const found = await findLocalHub(dataDir);
  return found.kind === 'running' ? { ...found.file, degraded: found.degraded } : undefined;
}

/** What a client needs to know the hub of this machine by. */
export function trustOf({ fingerprint }: RunningHub): Trust {
  return fingerprint === undefined ? {} : { fingerprint };
}

async function waitForHub(dataDir: string, timeoutMs: number): Promise<RunningHub | undefined> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const running = await findRunningHub(dataDir);
    if (running !== undefined || performance.now() >= end) return running;
    await delay(POLL_MS);
  }
}

async function startOnce(script: string, port: number, options: LocalHubOptions): Promise<RunningHub | undefined> {
  const args = ['hub', 'start', '--daemon', '--port', String(port), '--data-dir', options.dataDir];
  options.log(`starting: ctx ${args.join(' ')}`);
  const { code, stderr } = await runCtx(script, args, START_TIMEOUT_MS);
  // Another window may have won the race, and a hub may need a moment: what counts is that it is there.
  const comes = code === 0 || code === CODE_FACTS.locked.exit;
  const running = await waitForHub(options.dataDir, comes ? ANSWER_TIMEOUT_MS : 0);
  if (running !== undefined) return running;
  if (code !== 0 && !(await isFree(port))) return undefined;
  const silent = code === 0 ? 'it does not answer' : `it ended with exit code ${code}`;
  const why = stderr.trim() === '' ? silent : stderr.trim();
  throw new HubError('unreachable', `The local hub did not start: ${why}`);
}

/** @returns the hub, whether it ran already or was started now. @throws HubError that says why there is none */
export async function ensureLocalHub(options: LocalHubOptions): Promise<RunningHub> {
  const running = await findRunningHub(options.dataDir);
  if (running !== undefined) return running;
  const { script } = await copyBundles(options.distDir, options.home, options.version);
  for (const port of portsToTry(options)) {
    if (!(await isFree(port))) continue;
    const started = await startOnce(script, port, options);
    if (started !== undefined) return started;
  }
  throw new HubError(
    'unreachable',
    `No free port from ${options.port} on: choose another one in the setting "ctxHub.localHub.port".`,
  );
}

/** @returns false when none was running */
export async function stopLocalHub(options: LocalHubOptions): Promise<boolean> {
  if ((await findRunningHub(options.dataDir)) === undefined) return false;
  const { script } = await copyBundles(options.distDir, options.home, options.version);
  const { code, stderr } = await runCtx(script, ['hub', 'stop', '--data-dir', options.dataDir], STOP_TIMEOUT_MS);
  if (code !== 0) throw new HubError('internal', `The local hub did not stop: ${stderr.trim()}`);
  return true;
}

/** The admin token of the hub on this machine, which this user may read; `undefined` when the hub keeps none. */
export async function readAdminToken(dataDir: string): Promise<string | undefined> {
  try {
    return (await fs.readFile(path.join(dataDir, 'admin.token'), 'utf8')).trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
