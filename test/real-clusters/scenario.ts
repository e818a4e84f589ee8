/** A scenario: a cluster under writers and listeners, one fault that is shown to have happened, and the history checked at the end. */
import assert from 'node:assert/strict';
import { Lab, type Concluded, type LabOptions } from '../support/cluster-lab/lab';
import { until } from '../support/processes';

type OwnOptions = Pick<LabOptions, 'nodes' | 'spare' | 'folderOf' | 'env' | 'pauseMs'>;

export interface Scenario extends OwnOptions {
  readonly title: string;
  /** Puts the fault in, asserts that it happened, and ends when writes went on. */
  readonly run: (lab: Lab) => Promise<void>;
}

/** What a scenario brings along, such as disks of its own. */
export interface Equipment {
  readonly options: Partial<OwnOptions>;
  readonly run: (lab: Lab) => Promise<void>;
  readonly remove: () => void;
}

/** A scenario that needs more than a cluster: made when its turn comes, removed at its end. */
export interface EquippedScenario {
  readonly title: string;
  readonly nodes: number;
  readonly equip: () => Equipment;
}

/** Writers go on failing, and nothing is acknowledged meanwhile: no majority is there. */
export async function nothingAcknowledged({ writers }: Lab): Promise<void> {
  const fails = (count: number): Promise<unknown> => {
    const enough = writers.failed + count;
    return until(`${count} more publishes fail`, () => writers.failed >= enough, 60_000);
  };
  await fails(12);
  const { acknowledged } = writers;
  await fails(6);
  assert.equal(writers.acknowledged, acknowledged, 'acknowledged without a majority');
}

const sum = (a: Concluded, b: Concluded): Concluded => ({
  acknowledged: a.acknowledged + b.acknowledged,
  refused: a.refused + b.refused,
  unknown: a.unknown + b.unknown,
  lines: a.lines + b.lines,
});

/** What a suite of scenarios came to. */
export class Tally {
  scenarios = 0;
  total: Concluded = { acknowledged: 0, refused: 0, unknown: 0, lines: 0 };

  async play(scenario: Scenario | EquippedScenario, network: LabOptions['network']): Promise<void> {
    if ('run' in scenario) return this.playOne(scenario, network);
    const { nodes, equip } = scenario;
    const { options, run, remove } = equip();
    try {
      await this.playOne({ nodes, ...options, run }, network);
    } finally {
      remove();
    }
  }

  private async playOne({ run, ...options }: Omit<Scenario, 'title'>, network: LabOptions['network']): Promise<void> {
    const began = performance.now();
    const lab = await Lab.open({ ...options, network });
    try {
      await run(lab);
      const concluded = await lab.conclude();
      this.scenarios++;
      this.total = sum(this.total, concluded);
      const { acknowledged, refused, unknown, lines } = concluded;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(
        `      ${acknowledged} acknowledged, ${refused} refused, ${unknown} unknown; ${lines} lines, 0 lost (${seconds} s)`,
      );
    } finally {
      await lab.close();
    }
  }
}
