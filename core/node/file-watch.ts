/** Tells when another process changed the outbox or the connection; where the system cannot tell, looks now and then. */
import fs from 'node:fs';
import path from 'node:path';
import type { ProjectPaths } from './project-directory';

export interface FileWatchHandlers {
  readonly onOutbox: () => void;
  readonly onConnection: () => void;
}

/** Bursts of events are one change. */
const SETTLE_MS = 50;
const POLL_MS = 5_000;

/** A timer calls this, so nothing may be thrown: what hides the file is a change like any other, and whoever reads it says why. */
function stampOf(file: string): string {
  try {
    const stats = fs.statSync(file);
    return `${stats.ino}/${stats.size}/${stats.mtimeMs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}

class WatchedFile {
  readonly #file: string;
  readonly #onChange: () => void;
  #stamp: string;
  #settle: NodeJS.Timeout | undefined;

  constructor(file: string, onChange: () => void) {
    this.#file = file;
    this.#onChange = onChange;
    this.#stamp = stampOf(file);
  }

  get name(): string {
    return path.basename(this.#file);
  }

  look(): void {
    this.#settle ??= setTimeout(() => {
      this.#settle = undefined;
      const now = stampOf(this.#file);
      if (now === this.#stamp) return;
      this.#stamp = now;
      this.#onChange();
    }, SETTLE_MS).unref();
  }

  close(): void {
    clearTimeout(this.#settle);
  }
}

export class FileWatch {
  readonly #files: readonly WatchedFile[];
  readonly #watchers: fs.FSWatcher[] = [];
  readonly #poll: NodeJS.Timeout;

  constructor(paths: ProjectPaths, handlers: FileWatchHandlers) {
    const outbox = new WatchedFile(paths.outbox, handlers.onOutbox);
    const connection = new WatchedFile(paths.connection, handlers.onConnection);
    this.#files = [outbox, connection];
    this.#watchFolder(paths.hubDir, outbox);
    this.#watchFolder(paths.contextDir, connection);
    // Events are missed on network drives, and when the folder itself comes later.
    this.#poll = setInterval(() => this.#files.forEach((file) => file.look()), POLL_MS).unref();
  }

  close(): void {
    clearInterval(this.#poll);
    for (const watcher of this.#watchers) watcher.close();
    for (const file of this.#files) file.close();
  }

  #watchFolder(folder: string, file: WatchedFile): void {
    try {
      const watcher = fs.watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || name === file.name) file.look();
      });
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // No such folder yet, or no watches left: the poll finds it.
    }
  }
}
