/** The file engine under the suite for every engine: on a simulated disk that fails on command, and on the real one. */
import fs from 'node:fs';
import path from 'node:path';
import { openFileEngine } from '../../../hub/engine/file';
import type { OpenedEngine } from '../../../hub/engine/log-engine';
import { nodeDisk } from '../../../hub/store/node-disk';
import type { LoggedLine } from '../../support/history';
import { tempDir } from '../../support/processes';
import { seeded, SimulatedDisk } from '../../support/simulated-disk';
import { engineConformance } from './engine-conformance';
import type { EngineLab } from './engine-lab';
import { faultyDisk } from './faulty-disk';

const never = (): (() => void) => () => undefined;
const warn = (): void => undefined;

function linesOf(text: string): readonly LoggedLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { id, sequence } = JSON.parse(line) as { id: string; sequence: number };
      return { id, sequence, text: line };
    });
}

function simulated(): EngineLab {
  const disk = new SimulatedDisk(undefined, seeded(7));
  disk.poke('/srv', 'folder');
  const faults = faultyDisk(disk);
  const folder = '/srv/data';
  const kinds = ['lost', 'torn', 'nul', 'kept'] as const;
  let crashes = 0;
  return {
    open: () => openFileEngine({ folder, disk: faults.disk, warn, later: never }),
    crash: async () => {
      disk.crash(kinds[crashes++ % kinds.length] ?? 'lost');
      // What is under way runs into the dead disk before it is there again.
      await new Promise((resolve) => setImmediate(resolve));
      disk.restart();
    },
    logs: () => {
      const bytes = disk.peek(`${folder}/entries.jsonl`) ?? new Uint8Array(0);
      return Promise.resolve([{ node: 'hub', lines: linesOf(Buffer.from(bytes).toString('utf8')) }]);
    },
    faults,
    dispose: () => Promise.resolve(),
  };
}

/** A real crash needs a process of its own (FM-02); here the engine is just left alone, as a kill leaves it. */
function real(): EngineLab {
  const folder = path.join(tempDir('ctx-engine'), 'data');
  const faults = faultyDisk(nodeDisk);
  let opened: OpenedEngine | undefined;
  return {
    open: async () => (opened = await openFileEngine({ folder, disk: faults.disk, warn, later: never })),
    crash: async () => {
      faults.die();
      await opened?.engine.close().catch(() => undefined);
      faults.revive();
    },
    logs: () => {
      const text = fs.readFileSync(path.join(folder, 'entries.jsonl'), 'utf8');
      return Promise.resolve([{ node: 'hub', lines: linesOf(text) }]);
    },
    faults,
    dispose: async () => {
      await opened?.engine.close();
      fs.rmSync(path.dirname(folder), { recursive: true, force: true });
    },
  };
}

engineConformance('file, simulated disk', () => Promise.resolve(simulated()));
engineConformance('file, real disk', () => Promise.resolve(real()));
