/** FM-65: what `ctx hub status` says of a follower that lags. */
import assert from 'node:assert/strict';
import { peerRow } from '../../../hub/cluster-control';
import type { MemberInfo } from '../../../hub/engine/raft/node-info';

const info: MemberInfo = {
  ...{ state: 'member', cluster: 'c', hub: 'h', node: 2, uid: 'u', address: 'ws://127.0.0.1:2', version: '1' },
  ...{ members: [], voters: [1, 2, 3], role: 'follower', leader: 1, term: 3, commit: 9, applied: 9 },
  ...{ sequence: 100, free_bytes: 1, sync_ms: 3, matches: [] },
};
const why = (head: number, more: Partial<MemberInfo>, roundTripMs: number): string | undefined => {
  const member = { id: 2, address: info.address, voter: true, info: { ...info, ...more }, trouble: undefined };
  return peerRow({ ...member, roundTripMs }, head).why;
};

describe('FM-65: a follower that lags', () => {
  it('is fine while it is nearly up to date, however slow it is', () => {
    assert.equal(why(101, { sync_ms: 900 }, 900), undefined);
  });

  it('has a slow disk, a slow network, both, or neither', () => {
    assert.equal(why(200, { sync_ms: 812 }, 4), '100 entries behind; its disk is slow: 812 ms for a durable write');
    assert.equal(why(200, {}, 301), '100 entries behind; the network is slow: 301 ms for an answer');
    assert.match(why(200, { sync_ms: 812 }, 301) ?? '', /disk is slow.*network is slow/);
    assert.equal(why(200, {}, 4), '100 entries behind; neither its disk nor the network is slow');
  });

  it('cannot write at all', () => {
    assert.equal(why(200, { write_fault: 'The disk is full.', sync_ms: 900 }, 4), 'The disk is full.');
  });
});
