/** Keeps the project's secrets and caches out of git by lines in its `.gitignore`. Never calls git. */
import fsp from 'node:fs/promises';
import path from 'node:path';
import { HubError } from '../errors';
import { writeFileAtomic } from './atomic-file';
import { errnoOf, fileError } from './file-errors';
import { readPlainFile } from './plain-file';

/** What must never be committed, relative to the project's root. */
export const IGNORED_PATHS = ['.context/hub/', '.context/.connect.enc'] as const;

/** Lines that cover `wanted`: itself, or a folder above it, with or without a slash in front or behind. */
function covers(line: string, wanted: string): boolean {
  const bare = (text: string): string => text.trim().replace(/^\//, '').replace(/\/$/, '');
  const rule = bare(line);
  return rule !== '' && (bare(wanted) === rule || bare(wanted).startsWith(`${rule}/`));
}

/** The text with the missing lines at its end; everything before stays as it is. */
export function withIgnoredPaths(text: string, wanted: readonly string[] = IGNORED_PATHS): string {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const missing = wanted.filter((each) => !lines.some((line) => covers(line, each)));
  if (missing.length === 0) return text;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const start = text === '' || text.endsWith('\n') ? '' : eol;
  return text + start + missing.map((line) => line + eol).join('');
}

/** latin1 keeps every byte as it is, whatever the file's encoding. Git itself does not follow a link here. */
export async function readGitignore(root: string): Promise<string> {
  return (await readPlainFile(path.join(root, '.gitignore')))?.bytes.toString('latin1') ?? '';
}

/** Adds what is missing to the `.gitignore` beside `.context`. @returns whether the file changed */
export async function ensureIgnored(root: string): Promise<boolean> {
  const file = path.join(root, '.gitignore');
  const text = await readGitignore(root);
  const wanted = withIgnoredPaths(text.replace(/^\u00EF\u00BB\u00BF/, '\uFEFF'));
  const next = wanted.replace(/^\uFEFF/, '\u00EF\u00BB\u00BF');
  if (next === text) return false;
  await writeFileAtomic(file, Buffer.from(next, 'latin1'));
  return true;
}

/** @throws HubError `cannot_create`: a checked-out repository could plant a link to make us write elsewhere */
async function refuseLinkedFolder(dir: string): Promise<void> {
  const stats = await fsp.lstat(dir).catch(() => undefined);
  if (stats?.isSymbolicLink() !== true) return;
  throw new HubError('cannot_create', `${dir} is a symbolic link. Put a real folder in its place.`);
}

/**
 * Makes the managed folder; it ignores itself, so that nothing in it is committed even where `ctx init` never ran.
 * @throws HubError `cannot_create` when a link or a file is in its place
 */
export async function ensureHubFolder(hubDir: string): Promise<void> {
  try {
    await refuseLinkedFolder(path.dirname(hubDir));
    await refuseLinkedFolder(hubDir);
    await fsp.mkdir(hubDir, { recursive: true });
    await fsp.writeFile(path.join(hubDir, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && (await fsp.stat(hubDir)).isDirectory()) return;
    throw fileError(error, 'create', hubDir);
  }
}
