/**
 * The single-node engine: the log file itself is the durable record. One batch is in flight, the next gathers meanwhile:
 * plan → write → fdatasync → commit → answer. A batch whose write failed leaves no trace.
 *
 * How a hub opens it, with the data directory's lock already held:
 *
 *     const opened = await openFileEngine({ folder, warn: (message) => log.warn(message) });
 *     opened.engine.propose({ kind: 'publish', entries });   // checks entries, dedups, stamps received_at and sequence
 *     opened.reader.readAfter(cursor.sequence, maxBytes);    // the feed
 *     opened.clients.find(tokenId);                          // authentication
 *     await opened.engine.close();                           // drains, writes the watermark
 */
import { HubState } from '../state/hub-state';
import type { Disk } from '../store/disk';
import { nodeDisk } from '../store/node-disk';
import { sha256 } from '../store/sha256';
import { openStore } from '../store/open-store';
import type { StretchCheckers } from '../store/stretch-checkers';
import { FileEngine } from './file-engine';
import type { OpenedEngine } from './log-engine';

export interface FileEngineOptions {
  /** The data directory; made when it is not there. */
  readonly folder: string;
  /** For the operator: a torn tail that was cut, a clients.json that was edited by hand, a watermark not written. */
  readonly warn: (message: string) => void;
  readonly disk?: Disk;
  /** Wall clock, ms. */
  readonly now?: () => number;
  /** A log up to this long is verified whole at start; of a longer one the checkpoint is believed first. */
  readonly fullVerifyBytes?: number;
  readonly later?: (run: () => void, delayMs: number) => () => void;
  /** What takes part in verifying a long log; absent = this thread alone. */
  readonly checkersFor?: (bytes: number) => StretchCheckers | undefined;
  /** Long starts only: how much of the log was read. */
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
}

/** Never keeps the process alive. */
function afterDelay(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs).unref();
  return () => clearTimeout(timer);
}

/** @throws HubError that says why the hub must not start, and what to do */
export async function openFileEngine(options: FileEngineOptions): Promise<OpenedEngine> {
  const now = options.now ?? Date.now;
  const store = await openStore({ ...options, disk: options.disk ?? nodeDisk, now });
  // Of a cluster's backup that did not leave it out.
  await store.forgetRaftLog();
  const state = new HubState({
    head: store.head,
    nextSequence: store.nextSequence,
    clients: store.initialClients,
    sha256,
  });
  const engine = new FileEngine({ store, state, now, later: options.later ?? afterDelay, warn: options.warn });
  return {
    engine,
    reader: {
      hubId: store.hubId,
      head: () => state.head,
      readAfter: (sequence, maxBytes) => store.readAfter(sequence, maxBytes),
      knows: (cursor) => store.knows(cursor),
      onCommit: (listener) => engine.onCommit(listener),
    },
    clients: {
      find: (id) => state.client(id),
      list: () => state.clients.records,
    },
    problems: () => store.problems,
    lookAfter: () => store.lookAfter(),
    durableEnd: () => store.durableEnd,
  };
}
