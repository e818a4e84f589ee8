/** Turns what the file system throws into a {@link HubError} that says what could not be done, to which file, and what next. */
import { HubError, type ErrorCode } from '../errors';

interface Explanation {
  readonly code: ErrorCode;
  readonly text: string;
}

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  EACCES: { code: 'cannot_create', text: 'permission denied. Check who owns it and its mode' },
  EPERM: { code: 'cannot_create', text: 'not permitted. Check who owns it and its mode' },
  EROFS: { code: 'cannot_create', text: 'the file system is read-only' },
  EISDIR: { code: 'cannot_create', text: 'a folder is in the way. Move it' },
  EEXIST: { code: 'cannot_create', text: 'something else is in its place. Move it' },
  ENOTDIR: { code: 'cannot_create', text: 'a part of the path is a file, not a folder' },
  ELOOP: { code: 'cannot_create', text: 'too many symbolic links in the path' },
  ENAMETOOLONG: { code: 'cannot_create', text: 'the path is too long' },
  ENOENT: { code: 'io_failed', text: 'no such file or folder' },
  ENOSPC: { code: 'disk_full', text: 'no space left on the device. Free some and try again' },
  EDQUOT: { code: 'disk_full', text: 'your disk quota is used up. Free some space and try again' },
  EMFILE: { code: 'io_failed', text: 'too many open files' },
  ENFILE: { code: 'io_failed', text: 'too many open files on this machine' },
};

export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * @param doing such as `write`, for "Cannot write /a/b: …"
 * @returns the error itself when it is a HubError already
 */
export function fileError(error: unknown, doing: string, file: string): HubError {
  if (error instanceof HubError) return error;
  const errno = errnoOf(error);
  const known = errno === undefined ? undefined : EXPLANATIONS[errno];
  const text = known?.text ?? (error instanceof Error ? error.message : String(error));
  return new HubError(known?.code ?? 'io_failed', `Cannot ${doing} ${file}: ${text}.`, { cause: error });
}
