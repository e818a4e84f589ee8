/**
 * The disk as the store sees it: the few operations whose failure the store has an answer for. Production hands in
 * {@link nodeDisk}; the crash-point tests hand in a simulated disk, so that every promise is tested on the code that ships.
 */
import { errnoOf } from '../../core/node/file-errors';

export interface DiskFile {
  /** Reads into the buffer from a byte offset. @returns how many bytes were read; 0 at the end of the file */
  readonly read: (into: Uint8Array, position: number) => Promise<number>;
  /** May write fewer bytes than given: a full disk does so before it says why. @returns how many bytes were written */
  readonly write: (bytes: Uint8Array, position: number) => Promise<number>;
  /** fdatasync: what was written, and the file's length, survive a power cut once this resolves. */
  readonly sync: () => Promise<void>;
  readonly truncate: (length: number) => Promise<void>;
  readonly size: () => Promise<number>;
  /** Whether the path still leads to this open file: others may have removed, moved or replaced it. */
  readonly isAt: (path: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** `read` and `update` need the file to be there; `create` refuses one that is. */
export type OpenMode = 'read' | 'update' | 'create';

export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'other';
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Owner; 0 where the platform has none. */
  readonly uid: number;
}

export interface Disk {
  /** Never follows a symbolic link at `path` itself, and opens plain files only. */
  readonly open: (path: string, mode: OpenMode) => Promise<DiskFile>;
  readonly facts: (path: string) => Promise<FileFacts | undefined>;
  readonly list: (folder: string) => Promise<readonly string[]>;
  readonly makeFolder: (path: string) => Promise<void>;
  /** Sets permission bits; does nothing where the platform has none. */
  readonly protect: (path: string, mode: number) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** Makes names created, renamed or removed in the folder survive a power cut. */
  readonly syncFolder: (folder: string) => Promise<void>;
}

/** No room for more bytes: the one write error that passes by itself. `EFBIG` is what a file size limit says. */
export function isDiskFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EFBIG';
}
