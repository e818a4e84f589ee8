/**
 * Real clusters of 3, 5 and 7 processes under faults, one scenario after the other (FM-02, FM-13, FM-14, FM-19, FM-30, FM-31, FM-32, FM-36; P1 to P6,
 * P9, P11). `.ci/run` runs this, as root; what the machine does not allow is reported as not run. CTX_SCENARIO=<part of
 * a title> picks some.
 */
import assert from 'node:assert/strict';
import { namespaceNetwork, namespacesImpossible } from '../support/cluster-lab/namespaces';
import { removeTempDirs } from '../support/processes';
import { noteFigures } from '../support/reliability';
import { discards } from './discards';
import { disks } from './disks';
import { members } from './members';
import { partitions } from './partitions';
import { processes } from './processes';
import { Tally } from './scenario';

const MAX_MS = 300_000;
const LEAST_SCENARIOS = 24;
const LEAST_ACKNOWLEDGED = 20_000;

const picked = process.env['CTX_SCENARIO'];
const all = [...partitions, ...processes, ...discards, ...disks, ...members];
const chosen = all.filter(({ title }) => picked === undefined || title.includes(picked));

describe('real clusters', function () {
  this.timeout(MAX_MS);
  const tally = new Tally();
  let why: string | undefined;

  before(async () => {
    why = await namespacesImpossible();
    if (why !== undefined) console.log(`      NOT RUN: ${why}`);
  });
  after(removeTempDirs);

  for (const scenario of chosen) {
    it(`${scenario.title} (root)`, async function () {
      if (why !== undefined) this.skip();
      await tally.play(scenario, namespaceNetwork);
    });
  }

  it(`${LEAST_SCENARIOS} scenarios, ${LEAST_ACKNOWLEDGED} acknowledged in all, none lost (root)`, function () {
    if (why !== undefined || picked !== undefined) this.skip();
    const { scenarios, total } = tally;
    console.log(`      ${scenarios} scenarios, ${total.acknowledged} acknowledged, 0 lost`);
    noteFigures('clusters', { scenarios, ...total, lost: 0 });
    assert.ok(scenarios >= LEAST_SCENARIOS, `only ${scenarios} scenarios`);
    assert.ok(total.acknowledged >= LEAST_ACKNOWLEDGED, `only ${total.acknowledged} acknowledged`);
  });
});
