/** The floor of publishing one at a time: write one line, fdatasync, again; with nothing else around it. */
import fs from 'node:fs';
import path from 'node:path';
import type { Contender } from '../rounds';

export const SYNC_LOOP = 'write+fdatasync loop';
export const SYNC_LOOP_DURABILITY = 'loop: fdatasync after every line';

/** @param lineBytes as long as the hub's line for the same entry */
export function syncLoop(dir: string, lineBytes: number): Contender & { readonly close: () => void } {
  const file = fs.openSync(path.join(dir, 'floor.jsonl'), 'a');
  const line = Buffer.alloc(lineBytes, 'x');
  line[lineBytes - 1] = 0x0a;
  const slice = (sliceMs: number): { count: number; seconds: number } => {
    const began = performance.now();
    let count = 0;
    while (performance.now() - began < sliceMs) {
      fs.writeSync(file, line);
      fs.fdatasyncSync(file);
      count += 1;
    }
    return { count, seconds: (performance.now() - began) / 1000 };
  };
  return {
    name: SYNC_LOOP,
    slice: (sliceMs) => Promise.resolve(slice(sliceMs)),
    close: () => fs.closeSync(file),
  };
}
