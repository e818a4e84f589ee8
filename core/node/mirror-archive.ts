/** Where the mirror keeps what it has cut off its files: older entries, one file per cut, named by the first sequence. */
import fsp from 'node:fs/promises';
import path from 'node:path';
import type { EntryType } from '../entry';
import { errnoOf, fileError } from './file-errors';
import type { ProjectPaths } from './project-directory';

export function archiveFile(paths: ProjectPaths, type: EntryType, firstSequence: number): string {
  const name = path.basename(paths.mirror[type], '.md');
  return path.join(paths.archiveDir, `${name}-${String(firstSequence).padStart(10, '0')}.md`);
}

/** The oldest first. */
export async function archiveFiles(paths: ProjectPaths, type: EntryType): Promise<string[]> {
  const prefix = `${path.basename(paths.mirror[type], '.md')}-`;
  try {
    const names = await fsp.readdir(paths.archiveDir);
    return names
      .filter((name) => name.startsWith(prefix))
      .sort()
      .map((name) => path.join(paths.archiveDir, name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileError(error, 'read', paths.archiveDir);
  }
}
