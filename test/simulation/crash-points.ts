/** Work on a data directory in memory, with every kind of fault at every operation of its disk. */
import { scaled } from '../support/scale';
import { seeded, SimulatedDisk, type Crash, type Fault } from '../support/simulated-disk';
import { diskWith, FOLDER, type Files } from './stopped-stores';

const WHATS: readonly (Crash | Fault)[] = ['kill', 'lost', 'torn', 'nul', 'kept', 'eio', 'enospc', 'short'];

export interface Story {
  readonly files: Files;
  readonly work: (disk: SimulatedDisk) => Promise<void>;
  /** @param finished the work said that it was done: then the power went afterwards */
  readonly check: (disk: SimulatedDisk, finished: boolean) => Promise<void>;
}

async function finishes(disk: SimulatedDisk, work: Story['work']): Promise<boolean> {
  try {
    await work(disk);
    return !disk.isDead;
  } catch (error) {
    if (disk.happened.length === 0) throw error;
    return false;
  }
}

/** Does the work again and again, each time with another fault at another operation of the disk. @returns how many really happened */
export async function atEachOperation(story: Story): Promise<number> {
  const whole = diskWith(story.files);
  await story.work(whole);
  let happened = 0;
  const seeds = scaled(1, 6);
  for (let at = 0; at < whole.operations.length; at++) {
    for (const what of WHATS) {
      for (let seed = 0; seed < (what === 'torn' || what === 'nul' ? seeds : 1); seed++) {
        const disk = new SimulatedDisk({ at, what }, seeded(at * 100 + seed));
        disk.poke('/srv', 'folder');
        disk.poke(FOLDER, 'folder');
        for (const [name, bytes] of story.files) disk.poke(name, bytes);
        const finished = await finishes(disk, story.work);
        if (!disk.isDead) disk.crash('lost');
        disk.restart();
        happened += disk.happened.length;
        try {
          await story.check(disk, finished);
        } catch (error) {
          throw new Error(`${what} at operation ${at} (seed ${seed}): ${String(error)}`, { cause: error });
        }
      }
    }
  }
  return happened;
}
