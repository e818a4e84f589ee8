/** Which files the language server cares for, and what they are. Pure. */
import type { EntryType } from '../../core/entry';

export interface ContextFile {
  /** The folder that holds `.context`. */
  readonly root: string;
  readonly type: EntryType;
  /** `truth` = the project's own file; `mirror` = managed, written by the client from what other projects shared. */
  readonly role: 'truth' | 'mirror' | 'archive';
}

const NAMES: Readonly<Record<string, EntryType>> = {
  decisions: 'decision',
  learnings: 'learning',
  conventions: 'convention',
  tasks: 'task',
};

/** @param file an absolute path with either kind of slash */
export function contextFile(file: string): ContextFile | undefined {
  const path = file.replaceAll('\\', '/');
  const at = path.lastIndexOf('/.context/');
  if (at === -1) return undefined;
  const inside = path.slice(at + '/.context/'.length);
  const name = /^(?:(hub)\/)?(?:(?:.*\/)?)(decisions|learnings|conventions|tasks)[\w.-]*\.md$/i.exec(inside);
  const type = name === null ? undefined : NAMES[(name[2] ?? '').toLowerCase()];
  if (name === null || type === undefined) return undefined;
  const role = name[1] !== undefined ? 'mirror' : inside.includes('/') ? 'archive' : 'truth';
  return { root: path.slice(0, at), type, role };
}

/** The mirror writes every type in the form of headings. */
export function scannedAs({ type, role }: ContextFile): EntryType {
  return role === 'mirror' ? 'decision' : type;
}
