/** Where the bench writes: one temporary folder on a real file system, as fdatasync costs nothing on one in memory. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const TMPFS_MAGIC = 0x01021994;
const SHARED_MEMORY = '/dev/shm';

const inMemory = (dir: string): boolean => fs.statfsSync(dir).type === TMPFS_MAGIC;

export class Place {
  readonly root: string;
  readonly #memory: string | undefined;

  constructor() {
    const parent = inMemory(os.tmpdir()) ? path.resolve('test-output') : os.tmpdir();
    fs.mkdirSync(parent, { recursive: true });
    this.root = fs.realpathSync(fs.mkdtempSync(path.join(parent, 'ctx-bench-')));
    const hasMemory = fs.existsSync(SHARED_MEMORY) && inMemory(SHARED_MEMORY);
    this.#memory = hasMemory ? fs.mkdtempSync(path.join(SHARED_MEMORY, 'ctx-bench-')) : undefined;
  }

  /** A new folder on disk. */
  dir(name: string): string {
    return fs.mkdtempSync(path.join(this.root, `${name}-`));
  }

  /** A new folder in memory, where syncing is free; `undefined` where there is none. */
  memoryDir(name: string): string | undefined {
    return this.#memory === undefined ? undefined : fs.mkdtempSync(path.join(this.#memory, `${name}-`));
  }

  remove(): void {
    for (const dir of [this.root, this.#memory]) {
      if (dir !== undefined) fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    }
  }
}
