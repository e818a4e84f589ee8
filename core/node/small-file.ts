/**
 * What a flag names: a token, a secret, a certificate. Links are followed; a pipe or a device, which may never end, is refused, as is
 * what is far too long for any of them.
 */
import fs from 'node:fs';
import { HubError } from '../errors';
import { fileError } from './file-errors';
import { NO_WAIT } from './platform';

const MAX_BYTES = 1024 * 1024;

/** @throws HubError `io_failed` for what is no small file; else as {@link fileError} says */
export function readSmallFile(file: string): string {
  try {
    const fd = fs.openSync(file, fs.constants.O_RDONLY | NO_WAIT);
    try {
      const stats = fs.fstatSync(fd);
      if (!stats.isFile()) throw new HubError('io_failed', `Cannot read ${file}: it is not a plain file. Name one.`);
      if (stats.size > MAX_BYTES) {
        const what = `it has ${stats.size} bytes, and at most ${MAX_BYTES} are read`;
        throw new HubError('io_failed', `Cannot read ${file}: ${what}. Name another one.`);
      }
      return fs.readFileSync(fd, 'utf8');
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw fileError(error, 'read', file);
  }
}
