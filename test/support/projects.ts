/** Projects of users of their own, as the command line sees them: made, registered and looked at from outside. */
import fs from 'node:fs';
import path from 'node:path';
import type { HubProcess } from './hub-process';
import { ctx, start, tempDir, userEnv, type Finished, type Running } from './processes';

export const DECISION_FIELDS = [
  ...['--context', 'Two services disagreed by an hour'],
  ...['--rationale', 'UTC has no clock changes'],
  ...['--consequence', 'Local time is for display only'],
] as const;

export interface CliProject {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ctx: (args: readonly string[], stdin?: string) => Promise<Finished>;
  readonly start: (args: readonly string[]) => Running;
  readonly file: (name: string) => string;
  readonly read: (name: string) => string;
}

/** A user's view of a project folder; the user's home is new unless given. */
export function projectAt(dir: string, home = tempDir('ctx-user')): CliProject {
  const env = userEnv(home);
  const file = (name: string): string => path.join(dir, '.context', name);
  return {
    dir,
    env,
    ctx: (args, stdin) => ctx(args, { cwd: dir, env, ...(stdin === undefined ? {} : { stdin }) }),
    start: (args) => start(args, { cwd: dir, env }),
    file,
    read: (name) => fs.readFileSync(file(name), 'utf8'),
  };
}

/** Ends the test when the command failed, with what it said. */
export function succeeded(finished: Finished): Finished {
  if (finished.code === 0) return finished;
  throw new Error(`exit code ${String(finished.code)}\n--- stdout\n${finished.stdout}\n--- stderr\n${finished.stderr}`);
}

export async function newProject(name: string): Promise<CliProject> {
  const dir = path.join(tempDir('ctx-project'), name);
  fs.mkdirSync(dir);
  const project = projectAt(dir);
  succeeded(await project.ctx(['init']));
  return project;
}

/** Registers by the operator's token file, as a user on the hub's machine would. */
export async function connect(project: CliProject, hub: HubProcess, more: readonly string[] = []): Promise<void> {
  const tokenFile = path.join(hub.dataDir, 'admin.token');
  succeeded(await project.ctx(['connection', 'register', hub.address, '--token-file', tokenFile, ...more]));
}

/** Ids in a project's mirror of a type, in file order. */
export function mirroredIds(project: CliProject, file = 'hub/decisions.md'): string[] {
  let text: string;
  try {
    text = project.read(file);
  } catch (error) {
    // Not there yet, or just taken away to be written anew.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return [...text.matchAll(/^<!-- ctx:id=(\S+) seq=/gm)].map(([, id]) => id ?? '');
}

/** The hub's log, parsed. */
export function logOf(
  hub: Pick<HubProcess, 'dataDir'>,
): { id: string; sequence: number; content: string; origin: string; client: string }[] {
  return fs
    .readFileSync(path.join(hub.dataDir, 'entries.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(
      (line) => JSON.parse(line) as { id: string; sequence: number; content: string; origin: string; client: string },
    );
}
