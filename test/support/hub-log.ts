/** A hub's files in tests: publish into them through a real hub, read them, damage them, and run offline commands on them. */
import fs from 'node:fs';
import path from 'node:path';
import { openSession, type HubSession } from '../../core/node/hub-session';
import type { PublishedEntry, StoredEntry } from '../../core/entry';
import { openFileEngine } from '../../hub/engine/file';
import { entry, publish } from './entries';
import { registerClient, startHub, type HubProcess } from './hub-process';
import { ctx, start, tempDir, userEnv, type Finished } from './processes';

export const published = (id: string, content = `Title of ${id}`): PublishedEntry => ({
  id,
  type: 'decision',
  content,
  timestamp: '2026-01-31T09:30:00Z',
});

export const logFile = (dataDir: string): string => path.join(dataDir, 'entries.jsonl');

export function logText(dataDir: string): string[] {
  return fs.readFileSync(logFile(dataDir), 'utf8').split('\n').slice(0, -1);
}

export function logEntries(dataDir: string): StoredEntry[] {
  return logText(dataDir).map((line) => JSON.parse(line) as StoredEntry);
}

/** Puts lines in the place of the log's. */
export function saveLog(dataDir: string, lines: readonly string[]): void {
  fs.writeFileSync(logFile(dataDir), lines.map((line) => `${line}\n`).join(''));
}

/** A name for a backup: its folder is there, it is not. */
export const backupTarget = (): string => path.join(tempDir('ctx-backup'), 'copy');

export interface OpenHub {
  readonly hub: HubProcess;
  readonly token: string;
  readonly session: HubSession;
}

/** A hub on that data, with a client of the project that has a session. */
export async function openHub(project: string, dataDir?: string): Promise<OpenHub> {
  const hub = await startHub(dataDir === undefined ? {} : { dataDir });
  const { token } = await registerClient(hub, project);
  return { hub, token, session: await openSession({ address: hub.address, token }) };
}

export function readJson(file: string): Record<string, unknown> {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
}

/** Runs `ctx hub …` on the data directory to its end. */
export function hubCommand(dataDir: string, ...args: readonly string[]): Promise<Finished> {
  const home = path.dirname(dataDir);
  return ctx(['hub', ...args, '--data-dir', dataDir], { cwd: home, env: userEnv(home) });
}

/** Starts a hub that is expected to refuse. */
export function refusedStart(dataDir: string): Promise<Finished> {
  return hubCommand(dataDir, 'start', '--port', '0');
}

/** A start that is to be refused or ended; one that is not ends all the same once it has said `done`. */
export async function endedStart(
  dataDir: string,
  args: readonly string[],
  done = /^ctx hub listening on|Waiting for/m,
): Promise<Finished> {
  const home = path.dirname(dataDir);
  const running = start(['hub', 'start', '--data-dir', dataDir, ...args], { cwd: home, env: userEnv(home) });
  const isOver = await Promise.race([
    running.finished.then(() => true),
    running.says(done, 30_000).then(
      () => false,
      () => false,
    ),
  ]);
  if (!isOver) running.process.kill('SIGKILL');
  return running.finished;
}

/** Publishes entries one by one, each acknowledged before the next. */
export async function publishEach(hub: HubProcess, token: string, entries: readonly PublishedEntry[]): Promise<void> {
  const session = await openSession({ address: hub.address, token });
  try {
    for (const entry of entries) {
      const [result] = await session.publish([entry]);
      if (result === undefined || 'error' in result)
        throw new Error(`${entry.id} was refused: ${JSON.stringify(result)}`);
    }
  } finally {
    await session.close();
  }
}

/** What a hub's engine leaves behind after it took entries `e-1` … `e-<count>`: stopped, or as if it were killed. */
export async function filledData(count: number, end: 'stop' | 'kill9' = 'stop'): Promise<string> {
  const folder = path.join(tempDir('ctx-data'), 'data');
  const { engine } = await openFileEngine({ folder, warn: () => undefined, later: () => () => undefined });
  for (let i = 1; i <= count; i++) await engine.propose(publish(entry(`e-${i}`)));
  if (end === 'stop') await engine.close();
  return folder;
}

/** All of a folder's files with their bytes, to see that nothing was changed. */
export function snapshot(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder).filter((name) => fs.statSync(path.join(folder, name)).isFile());
  return Object.fromEntries(names.sort().map((name) => [name, fs.readFileSync(path.join(folder, name), 'base64')]));
}
