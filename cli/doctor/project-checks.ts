/** What `ctx doctor` looks at in the project: its files, what git would take of them, what waits to be sent. Changes nothing. */
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { diagnose } from '../../core/context/diagnose';
import { ENTRY_TYPES } from '../../core/entry';
import { CODE_FACTS } from '../../core/errors';
import { readContextFile } from '../../core/node/context-file';
import { userHome } from '../../core/node/ctx-home';
import { readGitignore, withIgnoredPaths } from '../../core/node/gitignore';
import { Outbox } from '../../core/node/outbox';
import { isMarkedReadOnly } from '../../core/node/platform';
import { CONTEXT_FILE_NAMES, findProject, type ProjectPaths } from '../../core/node/project-directory';
import type { ProgramIo } from '../../core/program';
import { plural, shown } from '../output';
import { failed, ok, skipped, warning, type Check } from './check';

export function checkProject(io: ProgramIo): { readonly check: Check; readonly paths: ProjectPaths | undefined } {
  const paths = findProject(io.cwd, userHome(io.env));
  if (paths !== undefined) return { check: ok('project', shown(paths.root)), paths };
  return {
    check: { ...skipped('project', `no .context in ${shown(io.cwd)} or above it`), next: 'Begin with: ctx init' },
    paths,
  };
}

async function writeProblem(file: string): Promise<Check | undefined> {
  const stats = await fsp.lstat(file).catch(() => undefined);
  if (stats === undefined) return undefined;
  const fail = (why: string, next: string): Check =>
    failed('context files', `${shown(file)} ${why}`, next, CODE_FACTS.cannot_create.exit);
  if (stats.isSymbolicLink()) return fail('is a symbolic link', 'Put the real file in its place.');
  if (isMarkedReadOnly(stats.mode)) return fail('is marked read-only', `Make it writable: chmod u+w ${shown(file)}`);
  const writable = await fsp.access(file, fs.constants.W_OK).then(
    () => true,
    () => false,
  );
  return writable ? undefined : fail('cannot be written by this user', 'Check its owner and mode.');
}

export async function checkContextFiles(paths: ProjectPaths): Promise<Check> {
  let entries = 0;
  let problems = 0;
  let first = '';
  const folders = [await writeProblem(paths.contextDir), await writeProblem(paths.hubDir)];
  const closed = folders.find((each) => each !== undefined);
  if (closed !== undefined) return closed;
  for (const type of ENTRY_TYPES) {
    const problem = await writeProblem(paths.files[type]);
    if (problem !== undefined) return problem;
    const read = await readContextFile(paths, type);
    if (read === undefined) continue;
    const found = diagnose(read.document, read.text);
    entries += read.document.entries.length;
    problems += found.length;
    if (first === '' && found[0] !== undefined) first = `${CONTEXT_FILE_NAMES[type]}: ${found[0].message}`;
  }
  const what = plural(entries, 'entry', 'entries');
  if (problems === 0) return ok('context files', what);
  return warning(
    'context files',
    `${what}, ${plural(problems, 'problem')}; the first in ${shown(first)}`,
    'The editor underlines them all.',
  );
}

/** The folder of the repository that holds the project. */
function repositoryOf(root: string): string | undefined {
  for (let dir = root; ; dir = path.dirname(dir)) {
    if (fs.existsSync(path.join(dir, '.git'))) return dir;
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** Git's index names what is tracked in clear text; git itself is not called. */
async function isTracked(repository: string, file: string): Promise<boolean> {
  const name = path.relative(repository, file).split(path.sep).join('/');
  const index = await fsp.readFile(path.join(repository, '.git', 'index')).catch(() => undefined);
  return index?.includes(`${name}\0`) === true;
}

export async function checkGitignore(paths: ProjectPaths): Promise<Check> {
  const repository = repositoryOf(paths.root);
  if (repository === undefined) return ok('.gitignore', 'no git repository here');
  if (await isTracked(repository, paths.connection)) {
    const next = 'Run: git rm --cached .context/.connect.enc, and have the token revoked if it was pushed.';
    return failed(
      '.gitignore',
      'git tracks .context/.connect.enc, which holds the token',
      next,
      CODE_FACTS.config.exit,
    );
  }
  const text = await readGitignore(paths.root);
  if (withIgnoredPaths(text) === text)
    return ok('.gitignore', 'keeps .context/hub/ and .context/.connect.enc out of git');
  const next = 'Run "ctx init" again: it adds the lines and changes nothing else.';
  return failed(
    '.gitignore',
    'does not keep .context/hub/ and .context/.connect.enc out of git',
    next,
    CODE_FACTS.config.exit,
  );
}

export async function checkOutbox(paths: ProjectPaths): Promise<Check> {
  const outbox = new Outbox(paths);
  const [waiting, rejected] = [await outbox.count(), await outbox.rejected()];
  const [first] = rejected;
  if (first !== undefined) {
    const what = `${plural(rejected.length, 'entry was', 'entries were')} refused by the hub; ${first.entry.id}: ${shown(first.error.message)}`;
    return warning('outbox', what, `Correct it, then: ctx connection publish --id ${first.entry.id}`);
  }
  const strange = (await outbox.unreadable()).length;
  if (strange > 0) {
    const what = `${shown(paths.outbox)} holds ${plural(strange, 'line')} that no entry of ours can be read from`;
    return warning('outbox', what, 'Look at the file; what else waits there is sent all the same.');
  }
  if (waiting === 0) return ok('outbox', 'empty');
  return warning(
    'outbox',
    `${plural(waiting, 'entry waits', 'entries wait')} to be shared`,
    'Send them: ctx connection publish',
  );
}
