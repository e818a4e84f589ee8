/** Real `.context` files kept beside the repository, when this machine has them, and own fixtures of the same shapes. */
import fs from 'node:fs';
import path from 'node:path';
import type { EntryType } from '../../core/entry';

export interface SampleFile {
  readonly name: string;
  readonly type: EntryType;
  readonly text: string;
}

/** Where the shared samples may be: `$CTX_SAMPLES`, else `../shared/samples/real-context` beside the repository. */
export const SAMPLES_DIR = process.env['CTX_SAMPLES'] ?? path.resolve('..', 'shared', 'samples', 'real-context');
export const FIXTURES_DIR = path.resolve('test', 'fixtures', 'context');

function typeOf(name: string): EntryType {
  const lower = name.toLowerCase();
  if (lower.startsWith('decision')) return 'decision';
  if (lower.startsWith('learning')) return 'learning';
  return lower.startsWith('task') ? 'task' : 'convention';
}

function readAll(dir: string): SampleFile[] {
  return fs
    .readdirSync(dir)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => ({ name, type: typeOf(name), text: fs.readFileSync(path.join(dir, name), 'utf8') }));
}

export const fixtures = (): SampleFile[] => readAll(FIXTURES_DIR);

/** `undefined` when the samples are not on this machine. */
export const samples = (): SampleFile[] | undefined => (fs.existsSync(SAMPLES_DIR) ? readAll(SAMPLES_DIR) : undefined);

/** Tests over the real files; loudly skipped where they are missing. */
export function withSamples(what: string, test: (files: readonly SampleFile[]) => void): void {
  const files = samples();
  if (files !== undefined) it(`${what} (real files)`, () => test(files));
  else it.skip(`${what} — SKIPPED: NO REAL FILES AT ${SAMPLES_DIR}, set CTX_SAMPLES`, () => undefined);
}
