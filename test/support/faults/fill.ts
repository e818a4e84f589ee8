/** Makes a file system full. */
import fs from 'node:fs';

/** Takes all space but about so many bytes. */
export function fill(file: string, folder: string, leave: number): void {
  const { bavail, bsize } = fs.statfsSync(folder);
  const out = fs.openSync(file, 'w');
  try {
    for (let left = bavail * bsize - leave; left > 0;) left -= fs.writeSync(out, Buffer.alloc(Math.min(left, 1 << 20)));
    fs.fsyncSync(out);
  } catch (error) {
    // Whoever writes there was faster.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    fs.closeSync(out);
  }
}
