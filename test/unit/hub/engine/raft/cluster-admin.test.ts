/** A leader hands over, however often it is asked to (FM-20, FM-30). */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { ClusterAdmin, type AdminParts } from '../../../../../hub/engine/raft/cluster-admin';
import type { Replica } from '../../../../../hub/engine/raft/replica';

const SELF = 1;

describe('a leader that hands over', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('asks one voter at a time, also when it is told to again meanwhile', async () => {
    const asked: number[] = [];
    const follower = { learner: false, recentlyActive: true, match: 7 };
    const replica = {
      role: 'leader',
      leader: SELF,
      status: () => ({ followers: new Map([2, 3].map((id) => [id, follower])) }),
      transferLeadership: (id: number) => asked.push(id),
    };
    const admin = new ClusterAdmin({
      replica: replica as unknown as Replica,
      machine: { now: { configuration: { learners: [] } } },
      self: () => ({ cluster: 'c', node: SELF, uid: 'u', address: 'ws://127.0.0.1:1' }),
      trouble: () => undefined,
    } as unknown as AdminParts);
    try {
      const wishes = [admin.handOver(), admin.handOver()];
      assert.deepEqual(asked, [2]);
      replica.leader = 2;
      mock.timers.tick(1_000);
      assert.deepEqual(await Promise.all(wishes), [true, true]);
      replica.leader = SELF;
      const later = admin.handOver();
      assert.deepEqual(asked, [2, 2], 'the next one begins anew');
      replica.leader = 3;
      mock.timers.tick(1_000);
      assert.equal(await later, true);
    } finally {
      admin.close();
    }
  });
});
