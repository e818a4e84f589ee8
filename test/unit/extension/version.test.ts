/** Which of two versions is older: a hub is only ever offered to be replaced by a newer one. */
import assert from 'node:assert/strict';
import { isOlder } from '../../../extension/hub/version';

describe('versions', () => {
  it('are compared by number, not by text', () => {
    assert.equal(isOlder('0.9.0', '0.10.0'), true);
    assert.equal(isOlder('0.10.0', '0.9.0'), false);
    assert.equal(isOlder('1.0.0', '0.9.9'), false);
    assert.equal(isOlder('1.2.3', '1.2.4'), true);
  });

  it('the same one is not older than itself', () => {
    assert.equal(isOlder('1.2.3', '1.2.3'), false);
  });

  it('a preview comes before its release', () => {
    assert.equal(isOlder('1.2.0-beta', '1.2.0'), true);
    assert.equal(isOlder('1.2.0', '1.2.0-beta'), false);
    assert.equal(isOlder('1.2.0', '1.3.0-beta'), true);
  });
});
