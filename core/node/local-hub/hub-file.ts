/** `hub.json`: how commands on the hub's own machine find and address the running hub. Mode 0600: it holds the control secret. */
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { writeFileAtomic } from '../atomic-file';
import { errnoOf, fileError } from '../file-errors';
import { NO_WAIT, PRIVATE_FILE_MODE } from '../platform';

const schema = z.object({
  pid: z.int().min(1),
  started_at: z.string(),
  /** When the process began, as the system counts it: a pid alone may be another's by now. */
  process_start: z.string().optional(),
  nonce: z.string(),
  address: z.string(),
  port: z.int().min(1).max(65_535),
  control_token: z.string(),
  version: z.string(),
  /** SHA-256 fingerprint of the certificate, when the hub serves TLS. */
  fingerprint: z.string().optional(),
  /** Of a node that does not serve yet: what it waits for, in words. */
  waiting: z.string().optional(),
});

export type HubFile = z.infer<typeof schema>;

export const hubFilePath = (dataDir: string): string => path.join(dataDir, 'hub.json');

export async function writeHubFile(dataDir: string, value: HubFile): Promise<void> {
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  await writeFileAtomic(hubFilePath(dataDir), text, { mode: PRIVATE_FILE_MODE, forceMode: true });
}

function readText(file: string): string {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | NO_WAIT);
  try {
    return fs.readFileSync(fd, 'utf8');
  } finally {
    fs.closeSync(fd);
  }
}

/** @returns undefined when there is none, or it is not readable as one (a hub that was killed while writing it) */
export function readHubFile(dataDir: string): HubFile | undefined {
  let text: string;
  try {
    text = readText(hubFilePath(dataDir));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw fileError(error, 'read', hubFilePath(dataDir));
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined; // Not ours or half of one: whoever needs it says that no hub is running.
  }
}

export function removeHubFile(dataDir: string): void {
  fs.rmSync(hubFilePath(dataDir), { force: true });
}
