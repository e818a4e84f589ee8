/** `ctx doctor`: looks at everything from this machine to the hub, in order, and names the first thing that fails and what next. */
import fs from 'node:fs';
import type { ProgramIo } from '../../core/program';
import { jsonAnswer, shown } from '../output';
import { looked, type Check } from './check';
import { checkConnection, checkHub } from './hub-checks';
import { checkDisk, checkKeyFile, checkUserFolder, checkVersion } from './machine-checks';
import { checkContextFiles, checkGitignore, checkOutbox, checkProject } from './project-checks';

async function projectAndHub(io: ProgramIo): Promise<Check[]> {
  const { check: project, paths } = checkProject(io);
  if (paths === undefined) return [await checkKeyFile(io, false), project];
  const key = await checkKeyFile(io, fs.existsSync(paths.connection));
  const files = [
    await looked('context files', () => checkContextFiles(paths)),
    await looked('.gitignore', () => checkGitignore(paths)),
  ];
  const { check, connection } = await checkConnection(paths, io);
  const hub = connection === undefined ? [] : await checkHub(connection, paths, io);
  return [key, project, ...files, check, ...hub, await looked('outbox', () => checkOutbox(paths))];
}

const MARKS = { ok: 'ok  ', warning: 'WARN', failed: 'FAIL', skipped: '-   ' } as const;

function asText(checks: readonly Check[], first: Check | undefined): string {
  const lines = checks.flatMap(({ name, status, message, next }) => [
    `${MARKS[status]}  ${name.padEnd(13)}  ${message}`,
    ...(next === undefined ? [] : [`${' '.repeat(21)}${next}`]),
  ]);
  const verdict =
    first === undefined
      ? 'Nothing is wrong.'
      : `First: ${first.name} ${first.status === 'failed' ? 'failed' : 'needs a look'}. Next: ${first.next ?? ''}`;
  return `${[...lines, '', verdict].join('\n')}\n`;
}

/** @returns 0 when nothing failed, else the exit code of the first failure */
export async function doctor(flags: { readonly json?: boolean }, version: string, io: ProgramIo): Promise<number> {
  const machine = [checkVersion(shown(version)), await checkUserFolder(io), await checkDisk(io)];
  const checks = [...machine, ...(await projectAndHub(io))];
  const failure = checks.find(({ status }) => status === 'failed');
  const first = failure ?? checks.find(({ status }) => status === 'warning');
  if (flags.json === true) {
    const members = { ok: failure === undefined, first: first?.name ?? null, next: first?.next ?? null };
    const named = checks.map(({ name, status, message, next }) => ({ name, status, message, next: next ?? null }));
    io.stdout(jsonAnswer('doctor', { ...members, checks: named }));
  } else io.stdout(asText(checks, first));
  return failure?.exit ?? 0;
}
