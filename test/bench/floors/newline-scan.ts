/** The floor of reading a log: every byte of the file is looked at once, for line feeds. */
import fs from 'node:fs';

export const NEWLINE_SCAN = 'newline scan';

const CHUNK_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/** @returns the number of line feeds */
export function newlineScan(file: string): number {
  const fd = fs.openSync(file, 'r');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let lines = 0;
  try {
    for (;;) {
      const read = fs.readSync(fd, chunk, 0, CHUNK_BYTES, null);
      if (read === 0) return lines;
      const bytes = chunk.subarray(0, read);
      for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
    }
  } finally {
    fs.closeSync(fd);
  }
}
