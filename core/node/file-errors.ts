/** Turns what the file system throws into a {@link HubError} that says what could not be done, to which file, and what next. */
import os from 'node:os';
import { HubError, type ErrorCode } from '../errors';

/** What each errno means to a person, by the code it becomes. */
const TEXTS: Readonly<Partial<Record<ErrorCode, Readonly<Record<string, string>>>>> = {
  cannot_create: {
    EACCES: 'permission denied. Check who owns it and its mode',
    EPERM: 'not permitted. Check who owns it and its mode',
    EROFS: 'the file system is read-only',
    EISDIR: 'a folder is in the way. Move it',
    EEXIST: 'something else is in its place. Move it',
    ENOTDIR: 'a part of the path is a file, not a folder',
    ELOOP: 'it is a symbolic link. Put a real file in its place',
    ERR_FS_EISDIR: 'a folder is in the way. Move it',
    ENAMETOOLONG: 'the path is too long',
  },
  disk_full: {
    ENOSPC: 'no space left on the device. Free some and try again',
    EDQUOT: 'your disk quota is used up. Free some space and try again',
    EFBIG: 'a limit on the size of files leaves no more space. Raise it (ulimit -f) and try again',
  },
  io_failed: {
    ENOENT: 'no such file or folder',
    EMFILE: 'too many open files',
    ENFILE: 'too many open files on this machine',
  },
};

function explained(errno: string): readonly [ErrorCode, string] | undefined {
  for (const [code, texts] of Object.entries(TEXTS)) {
    const text = texts[errno];
    if (text !== undefined) return [code as ErrorCode, text];
  }
  return undefined;
}

/** Node has no name for this one: it says "Unknown system error" and the number, which is negative there. */
const QUOTA = -os.constants.errno.EDQUOT;

export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  if (errno === QUOTA) return 'EDQUOT';
  return typeof code === 'string' ? code : undefined;
}

/**
 * @param doing such as `write`, for "Cannot write /a/b: …"
 * @returns the error itself when it is a HubError already
 */
export function fileError(error: unknown, doing: string, file: string): HubError {
  if (error instanceof HubError) return error;
  const errno = errnoOf(error);
  const unknown = ['io_failed', error instanceof Error ? error.message : String(error)] as const;
  const [code, text] = (errno === undefined ? undefined : explained(errno)) ?? unknown;
  return new HubError(code, `Cannot ${doing} ${file}: ${text}.`, { cause: error });
}
