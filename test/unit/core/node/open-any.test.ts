import assert from 'node:assert/strict';
import { usableAddresses } from '../../../../core/node/open-any';

describe('addresses that a hub names', () => {
  it('are taken in normal form, without what is none', () => {
    const named = ['b:1', 'ws://c:2', 'wss://d', 'http://e', 'ws://u:p@f', '', 'ws://g/path'];
    assert.deepEqual(usableAddresses(named, 'ws://a:9900'), ['ws://b:1', 'ws://c:2', 'wss://d:9900']);
  });

  it('never lead from TLS down to no TLS', () => {
    assert.deepEqual(usableAddresses(['b:1', 'ws://c:2', 'wss://d'], 'wss://a:9900'), ['wss://b:1', 'wss://d:9900']);
  });
});
