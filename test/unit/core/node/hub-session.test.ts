/** One session with a hub: a failure to open it leaves nothing open. */
import assert from 'node:assert/strict';
import { openSession } from '../../../../core/node/hub-session';
import { HubError } from '../../../../core/errors';
import { FakeHub } from '../../../support/fake-hub';
import { until } from '../../../support/processes';

describe('a session that cannot be opened', () => {
  let hub: FakeHub;
  let address: string;
  beforeEach(async () => {
    hub = new FakeHub();
    address = await hub.listen();
  });
  afterEach(() => hub.close());

  const open = (timeoutMs = 5_000): Promise<unknown> => openSession({ address, token: 'alpha', timeoutMs });

  it('because of another protocol version is closed at once', async () => {
    hub.versions = [9];
    await assert.rejects(open(), (error) => error instanceof HubError && error.step === 'protocol');
    await until('the socket is closed', () => hub.sessions === 0);
  });

  it('because the hub says nothing is closed at the deadline', async () => {
    hub.mute = true;
    await assert.rejects(open(200), (error) => error instanceof HubError && error.step === 'protocol');
    await until('the socket is closed', () => hub.sessions === 0);
  });
});
