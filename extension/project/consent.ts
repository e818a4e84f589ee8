/**
 * Which connection files may be used. One that this user's key opens was made by this user, but one that git tracks came, or
 * will go, with the repository: it is used only after this user has said so for exactly these bytes.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import type { ProjectPaths } from '../../core/node/project-directory';

/** What remembers between sessions; the editor's global state. */
export interface Memory {
  readonly get: (key: string) => unknown;
  readonly update: (key: string, value: unknown) => Thenable<void>;
}

const KEY = 'connectionConsent';
const GIT_TIMEOUT_MS = 3_000;

/** Reads the index only. Without git or a repository nothing is tracked. */
function isTracked(paths: ProjectPaths): Promise<boolean> {
  // A repository may name a program to run on such commands; not this one.
  const args = ['-c', 'core.fsmonitor=false', 'ls-files', '--error-unmatch', '--', paths.connection];
  return new Promise((resolve) => {
    execFile('git', args, { cwd: paths.root, timeout: GIT_TIMEOUT_MS, windowsHide: true }, (error) =>
      resolve(error === null),
    );
  });
}

async function fingerprint(paths: ProjectPaths): Promise<string> {
  const bytes = await fs.readFile(paths.connection);
  return createHash('sha256').update(paths.root).update('\0').update(bytes).digest('hex');
}

export class ConnectionConsent {
  constructor(private readonly memory: Memory) {}

  /** The file as it is now was made, or accepted, by this user. */
  async give(paths: ProjectPaths): Promise<void> {
    const known = this.#known().filter((each) => each !== '');
    await this.memory.update(KEY, [...known.slice(-200), await fingerprint(paths)]);
  }

  /** @returns why the file may not be used yet, or `undefined` */
  async obstacle(paths: ProjectPaths): Promise<string | undefined> {
    if (!(await isTracked(paths))) return undefined;
    if (this.#known().includes(await fingerprint(paths))) return undefined;
    return 'the connection file is tracked by git, so it came with the repository';
  }

  #known(): readonly string[] {
    const value = this.memory.get(KEY);
    return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
  }
}
