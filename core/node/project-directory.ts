/** Where a project and its files are. Finds and names; reads and writes nothing. */
import fs from 'node:fs';
import path from 'node:path';
import { isProjectName, type EntryType } from '../entry';
import { HubError } from '../errors';
import { MAX_PROJECT_LENGTH } from '../limits';
import { fileError } from './file-errors';

export const CONTEXT_DIR = '.context';

/** Every path inside a project that any part of the product uses. */
export interface ProjectPaths {
  /** The folder that holds `.context`. */
  readonly root: string;
  readonly contextDir: string;
  /** The local truth, by type. */
  readonly files: Readonly<Record<EntryType, string>>;
  readonly connection: string;
  /** Managed by the client, git-ignored: everything below here can be thrown away and fetched again, but the outbox. */
  readonly hubDir: string;
  readonly mirror: Readonly<Record<EntryType, string>>;
  readonly archiveDir: string;
  readonly syncState: string;
  readonly outbox: string;
  /** Entries that the hub refused for good, and why. */
  readonly rejected: string;
  /** Own entries known to be on the hub. */
  readonly ledger: string;
  /** Held while a local file is read, changed and written. */
  readonly filesLock: string;
  readonly mirrorLock: string;
  /** Held while outbox, rejected list or ledger change: moments. */
  readonly outboxLock: string;
  /** Held while a batch of the outbox is on its way to the hub. */
  readonly drainLock: string;
}

export const CONTEXT_FILE_NAMES: Readonly<Record<EntryType, string>> = {
  decision: 'DECISIONS.md',
  learning: 'LEARNINGS.md',
  convention: 'CONVENTIONS.md',
  task: 'TASKS.md',
};

export function projectPaths(root: string): ProjectPaths {
  const contextDir = path.join(root, CONTEXT_DIR);
  const hubDir = path.join(contextDir, 'hub');
  const inContext = (name: string): string => path.join(contextDir, name);
  const inHub = (name: string): string => path.join(hubDir, name);
  const byType = (place: (type: EntryType) => string): Record<EntryType, string> => ({
    decision: place('decision'),
    learning: place('learning'),
    convention: place('convention'),
    task: place('task'),
  });
  return {
    root,
    contextDir,
    files: byType((type) => inContext(CONTEXT_FILE_NAMES[type])),
    connection: inContext('.connect.enc'),
    hubDir,
    mirror: byType((type) => inHub(CONTEXT_FILE_NAMES[type].toLowerCase())),
    archiveDir: inHub('archive'),
    syncState: inHub('.sync-state.json'),
    outbox: inHub('outbox.jsonl'),
    rejected: inHub('rejected.jsonl'),
    ledger: inHub('shared.jsonl'),
    filesLock: inHub('.files.lock'),
    mirrorLock: inHub('.mirror.lock'),
    outboxLock: inHub('.outbox.lock'),
    drainLock: inHub('.drain.lock'),
  };
}

function isDirectory(file: string): boolean {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    // Such as a link to itself, or a folder of somebody else.
    throw fileError(error, 'read', file);
  }
}

const exists = (file: string): boolean => fs.existsSync(file);

/** `from` and its ancestors, up to and with the one where `last` says so. */
function* ancestors(from: string, last: (dir: string) => boolean): Generator<string> {
  let dir = path.resolve(from);
  for (;;) {
    yield dir;
    const parent = path.dirname(dir);
    if (parent === dir || last(dir)) return;
    dir = parent;
  }
}

const holdsGit = (dir: string): boolean => exists(path.join(dir, '.git'));

/**
 * The nearest folder with a `.context`, from `cwd` upwards. Never looks beyond the repository or the home folder, so that
 * a stray `.context` further up does not take in foreign projects.
 */
export function findProject(cwd: string, home: string): ProjectPaths | undefined {
  const end = path.resolve(home);
  for (const dir of ancestors(cwd, (each) => each === end || holdsGit(each))) {
    if (isDirectory(path.join(dir, CONTEXT_DIR))) return projectPaths(dir);
  }
  return undefined;
}

/** @throws HubError `config` when there is none. */
export function requireProject(cwd: string, home: string): ProjectPaths {
  const project = findProject(cwd, home);
  if (project !== undefined) return project;
  throw new HubError('config', `No ${CONTEXT_DIR} folder in ${cwd} or above it. Run "ctx init" in the project first.`);
}

/** Where `ctx init` makes a project: the root of the repository that `cwd` is in, else `cwd` itself. */
export function newProjectRoot(cwd: string): string {
  for (const dir of ancestors(cwd, () => false)) if (holdsGit(dir)) return dir;
  return path.resolve(cwd);
}

/** The project name that others see as origin unless the user names one: the folder's name in the allowed letters. */
export function defaultProjectName(root: string): string {
  const name = path
    .basename(path.resolve(root))
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, MAX_PROJECT_LENGTH)
    .replace(/[^a-z0-9]+$/, '');
  return isProjectName(name) ? name : 'project';
}
