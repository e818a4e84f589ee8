/** The real disk. Small writes go to the page cache at once; whatever may wait for a device waits off the event loop. */
import fs from 'node:fs';
import {
  NO_FOLLOW,
  NO_WAIT,
  PRIVATE_DIR_MODE,
  PRIVATE_FILE_MODE,
  replaceFile,
  syncDirectory,
} from '../../core/node/platform';
import type { Disk, DiskFile, FileFacts, OpenMode } from './disk';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = fs.constants;
const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY | NO_FOLLOW | NO_WAIT,
  update: O_RDWR | NO_FOLLOW | NO_WAIT,
  create: O_RDWR | O_CREAT | O_EXCL | NO_FOLLOW,
};
/** Up to here a write is a copy into the page cache, cheaper than the trip to the thread pool and back. */
const WRITE_AT_ONCE_BYTES = 64 * 1024;

type Callback<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

function promised<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null) resolve(value as T);
      else reject(error);
    });
  });
}

function write(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  return promised((done) => {
    if (bytes.length > WRITE_AT_ONCE_BYTES) fs.write(fd, bytes, 0, bytes.length, position, done);
    else done(null, fs.writeSync(fd, bytes, 0, bytes.length, position));
  });
}

/** Asked for before every append: at once, which costs a tenth of the trip to the thread pool and back. */
function isAt(fd: number, path: string): boolean {
  const there = fs.lstatSync(path, { throwIfNoEntry: false });
  const { dev, ino } = fs.fstatSync(fd);
  return there?.ino === ino && there.dev === dev;
}

function nodeFile(fd: number): DiskFile {
  return {
    read: (into, position) => promised((done) => fs.read(fd, into, 0, into.length, position, done)),
    write: (bytes, position) => write(fd, bytes, position),
    sync: () => promised((done) => fs.fdatasync(fd, done)),
    truncate: (length) => promised((done) => fs.ftruncate(fd, length, done)),
    size: () => promised((done) => done(null, fs.fstatSync(fd).size)),
    isAt: (path) => promised((done) => done(null, isAt(fd, path))),
    close: () => promised((done) => fs.close(fd, done)),
  };
}

async function openFile(path: string, mode: OpenMode): Promise<DiskFile> {
  const fd = await promised<number>((done) => fs.open(path, FLAGS[mode], PRIVATE_FILE_MODE, done));
  if (fs.fstatSync(fd).isFile()) return nodeFile(fd);
  await promised((done) => fs.close(fd, done));
  throw Object.assign(new Error(`${path} is not a plain file`), { code: 'EINVAL' });
}

async function factsOf(path: string): Promise<FileFacts | undefined> {
  const stats = await fs.promises.lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return undefined;
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  return { kind, size: stats.size, mode: stats.mode & 0o777, uid: stats.uid };
}

export const nodeDisk: Disk = {
  open: openFile,
  facts: factsOf,
  list: (folder) => fs.promises.readdir(folder),
  makeFolder: (path) => fs.promises.mkdir(path, { mode: PRIVATE_DIR_MODE }),
  protect: (path, mode) => fs.promises.chmod(path, mode),
  rename: replaceFile,
  remove: (path) => fs.promises.rm(path),
  syncFolder: syncDirectory,
};
