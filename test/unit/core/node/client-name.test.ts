/** The default client name is always one that a hub takes. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isClientName } from '../../../../core/entry';
import { defaultClientName } from '../../../../core/node/client-name';

describe('default client name', () => {
  it('is the user at the host, in the allowed letters', () => {
    assert.equal(defaultClientName({ USER: 'Ada' }, 'Laptop.local'), 'ada@laptop');
    assert.equal(defaultClientName({ USERNAME: 'Jörg Müller' }, 'PC 7'), 'jorg-muller@pc-7');
  });

  it('is allowed whatever user and host are called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (user, host) => {
        assert.ok(isClientName(defaultClientName({ USER: user }, host)));
      }),
    );
  });
});
