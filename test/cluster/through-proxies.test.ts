/** A few of the scenarios of real clusters, without root: faults come from TCP proxies between the nodes (FM-13, FM-14, FM-19, FM-31). */
import { proxyNetwork } from '../support/cluster-lab/proxies';
import { removeTempDirs } from '../support/processes';
import { partitions } from '../real-clusters/partitions';
import { processes } from '../real-clusters/processes';
import { Tally } from '../real-clusters/scenario';

const CHOSEN: readonly string[] = [
  '3 nodes: the leader is isolated',
  '3 nodes: nothing arrives that the leader sends',
  '3 nodes: kill -9 of the leader',
];

describe('a cluster of three behind proxies', function () {
  this.timeout(300_000);
  const tally = new Tally();
  after(removeTempDirs);

  for (const scenario of [...partitions, ...processes].filter(({ title }) => CHOSEN.includes(title))) {
    it(scenario.title, () => tally.play(scenario, proxyNetwork));
  }

  it('that was all of them', () => {
    if (tally.scenarios !== CHOSEN.length) throw new Error(`${tally.scenarios} scenarios of ${CHOSEN.length}`);
  });
});
