/**
 * A file of JSON lines that only grows: appended and fsynced under the caller's lock. A torn last line (kill, power cut)
 * is cut off by the next append; it was never confirmed to anybody.
 */
import fsp from 'node:fs/promises';
import path from 'node:path';
import { fileError } from './file-errors';
import { openPlainFile, readPlainFile, writeAtEnd } from './plain-file';
import { PRIVATE_FILE_MODE, syncDirectory } from './platform';

const LF = 0x0a;
const TAIL_BYTES = 64 * 1024;

/** Length up to and with the last line feed. */
async function lengthOfWholeLines(handle: fsp.FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(LF);
    if (at !== -1) return start + at + 1;
    end = start;
  }
  return 0;
}

/** Appends the values as lines; durable when it resolves. */
export async function appendLines(file: string, values: readonly unknown[]): Promise<void> {
  if (values.length === 0) return;
  const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  try {
    const flags = fsp.constants.O_RDWR | fsp.constants.O_CREAT;
    const { handle, stats } = await openPlainFile(file, flags, PRIVATE_FILE_MODE);
    try {
      const { size } = stats;
      const whole = await lengthOfWholeLines(handle, size);
      if (whole < size) await handle.truncate(whole);
      await writeAtEnd(handle, Buffer.from(text), whole);
      // Also after a first try that left nothing but a torn line.
      if (whole === 0) await syncDirectory(path.dirname(file));
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, 'write', file);
  }
}

export interface ReadLines {
  readonly values: readonly unknown[];
  /** Whole lines that are no JSON: somebody else's doing. A torn last line is not among them. */
  readonly unreadable: readonly string[];
}

/** A missing file is an empty one. */
export async function readLines(file: string): Promise<ReadLines> {
  const text = (await readPlainFile(file))?.bytes.toString('utf8') ?? '';
  const values: unknown[] = [];
  const unreadable: string[] = [];
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    try {
      values.push(JSON.parse(line));
    } catch {
      unreadable.push(line);
    }
  }
  return { values, unreadable };
}
