/** What a link to a peer says of itself while it is down: why it went down last, and nothing once it is up. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type { Socket } from 'node:net';
import { PeerDoor } from '../../../../hub/peers/peer-door';
import { PeerLink } from '../../../../hub/peers/peer-link';
import { freePorts } from '../../../support/cluster-processes';
import { until } from '../../../support/processes';

const SECRET = '5ec2e7'.repeat(10);
const DEADLINE_MS = 30_000;

/** What answers at the port: a peer that knows a secret. @returns what hangs up on everybody and closes the port */
async function peerAt(
  port: number,
  secret: string,
  warn: (message: string) => void = () => undefined,
  dialled: () => void = () => undefined,
): Promise<() => Promise<void>> {
  const door = new PeerDoor({
    ...{ secret, self: () => ({ cluster: 'c', node: 2, uid: 'u-2', address: '' }), certificate: () => '' },
    ...{ refusal: () => undefined, message: () => undefined, closed: () => undefined, warn },
    request: () => Promise.reject(new Error('nobody asks')),
    crash: () => undefined,
  });
  const server = http.createServer();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('upgrade', (request, stream, head) => {
    dialled();
    door.upgrade(request, stream, head, () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
}

describe('a link to a peer', function () {
  this.timeout(2 * DEADLINE_MS);

  it('names the newest reason why it is down, and none while it is up', async () => {
    const [port = 0] = await freePorts(1);
    const link = new PeerLink({
      ...{ address: `ws://127.0.0.1:${port}`, channel: 'bulk', secret: SECRET, check: () => undefined },
      self: () => ({ cluster: 'c', node: 1, uid: 'u-1', address: '' }),
    });
    const says = (what: RegExp): Promise<unknown> =>
      until(String(what), () => what.test(link.trouble ?? 'nothing'), DEADLINE_MS);
    try {
      await says(/ECONNREFUSED/);
      const stranger = await peerAt(port, 'x'.repeat(40));
      await says(/hung up without a word: has it another cluster secret/);
      await stranger();
      await says(/ECONNREFUSED/);
      const peer = await peerAt(port, SECRET);
      await until('it is up', () => link.isOpen, DEADLINE_MS);
      assert.equal(link.trouble, undefined);
      await peer();
      await until('it is down', () => !link.isOpen, DEADLINE_MS);
      assert.equal(link.trouble, 'the connection broke');
      await says(/ECONNREFUSED/);
    } finally {
      link.close();
    }
  });

  it('without the secret is named once where it dials, however often it does', async () => {
    const [port = 0] = await freePorts(1);
    const said: string[] = [];
    let dials = 0;
    const stop = await peerAt(
      port,
      SECRET,
      (message) => said.push(message),
      () => dials++,
    );
    const link = new PeerLink({
      ...{ address: `ws://127.0.0.1:${port}`, channel: 'bulk', secret: 'x'.repeat(40), check: () => undefined },
      self: () => ({ cluster: 'c', node: 1, uid: 'u-1', address: '' }),
    });
    try {
      await until('it has dialled again and again', () => dials >= 5, DEADLINE_MS);
      assert.deepEqual(said, ['A peer at 127.0.0.1 was refused: wrong cluster secret']);
    } finally {
      link.close();
      await stop();
    }
  });
});
