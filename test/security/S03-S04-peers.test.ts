/**
 * S03, S04: who may speak as a node of a cluster, over TLS, and what a node takes from one that may. All that is said here a peer
 * would have to know the cluster's secret for, or is refused without.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type net from 'node:net';
import tls from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { encodeFrame } from '../../hub/peers/frame';
import { PeerLink } from '../../hub/peers/peer-link';
import {
  newNonce,
  PEER_PATHS,
  PEER_SUBPROTOCOL,
  proofOf,
  type PeerIdentity,
  type ProofOf,
} from '../../hub/peers/proof';
import { encodeMessage } from '../../hub/peers/raft-message';
import { makeAuthority, makePair } from '../support/certificates';
import { startCluster, type ClusterNode, type TestCluster } from '../support/cluster-processes';
import { hubCommand, readJson } from '../support/hub-log';
import { removeTempDirs, tempDir, until } from '../support/processes';

interface Status {
  readonly status: { readonly problems: readonly string[] };
  readonly peers: readonly { readonly reachable: boolean; readonly role?: string }[];
}

/** What a dialling side says, given the challenge. */
type Dial = (acceptNonce: string, certificate: string) => object;

describe('S03, S04: peers of a cluster', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  let node: ClusterNode;
  let secret = '';
  /** Of another node of the cluster. */
  let other: PeerIdentity;

  before(async () => {
    cluster = await startCluster(3, ['--tls-self-signed']);
    const [first, second] = cluster.nodes;
    assert.ok(first !== undefined && second !== undefined);
    node = first;
    secret = fs.readFileSync(cluster.secretFile, 'utf8').trim();
    const { uid, address, joined } = readJson(path.join(second.dataDir, 'raft', 'node.json')) as unknown as {
      uid: string;
      address: string;
      joined: { cluster: string; node: number };
    };
    other = { uid, address, ...joined };
    await until('one leads', async () => (await statusOf(first)).peers.some(({ role }) => role === 'leader'), 30_000);
  });
  after(async () => {
    await Promise.all(cluster.nodes.map(({ hub }) => hub.kill9()));
    removeTempDirs();
  });

  async function statusOf(asked: ClusterNode): Promise<Status> {
    return JSON.parse((await hubCommand(asked.dataDir, 'status', '--json')).stdout) as Status;
  }

  const allReachable = async (): Promise<boolean> => (await statusOf(node)).peers.every(({ reachable }) => reachable);
  const said = (): string => node.hub.process.stderr();
  const proved = (of: Partial<ProofOf> & Pick<ProofOf, 'acceptNonce' | 'certificate'>, key = secret): object => {
    const dialNonce = newNonce();
    const identity = of.identity ?? other;
    const mac = proofOf(key, { side: 'dial', channel: 'bulk', dialNonce, identity, ...of });
    return { nonce: of.dialNonce ?? dialNonce, identity, mac };
  };

  /** Says one thing after the challenge. @returns what came after that, and stays open while it may */
  async function dial(say: Dial): Promise<{ ws: WebSocket; answer: Promise<Record<string, unknown> | undefined> }> {
    const ws = new WebSocket(node.address + PEER_PATHS.bulk, PEER_SUBPROTOCOL, { rejectUnauthorized: false });
    let certificate = '';
    ws.once('upgrade', ({ socket }) => {
      if (socket instanceof tls.TLSSocket) certificate = socket.getPeerCertificate().fingerprint256;
    });
    ws.on('error', () => undefined);
    const next = (): Promise<Record<string, unknown> | undefined> =>
      new Promise((resolve) => {
        ws.once('message', (data: Buffer) => resolve(JSON.parse(data.toString('utf8')) as Record<string, unknown>));
        ws.once('close', () => resolve(undefined));
      });
    const challenge = await next();
    const answer = next();
    ws.send(JSON.stringify(say(String(challenge?.['nonce']), certificate)));
    return { ws, answer };
  }

  /** What the node said to it; undefined = it hung up without a word. */
  async function answerTo(say: Dial): Promise<Record<string, unknown> | undefined> {
    const { ws, answer } = await dial(say);
    const told = await answer;
    ws.terminate();
    return told;
  }

  it('the nodes found each other over TLS, and one that knows the secret is answered with a proof of its own', async () => {
    assert.match(node.address, /^wss:/);
    await until('all see each other', allReachable, 30_000);
    const told = await answerTo((acceptNonce, certificate) => proved({ acceptNonce, certificate }));
    assert.match(String(told?.['mac']), /^[0-9a-f]{64}$/);
  });

  it('a wrong secret, a repeated proof, a reflected one and one for another certificate or channel get no answer', async () => {
    const wrong = await answerTo((acceptNonce, certificate) => proved({ acceptNonce, certificate }, 'x'.repeat(40)));
    let heard: object = {};
    const first = await answerTo((acceptNonce, certificate) => (heard = proved({ acceptNonce, certificate })));
    assert.ok(first?.['mac'] !== undefined, 'what is repeated was good once');
    const repeated = await answerTo(() => heard);
    const reflected = await answerTo((acceptNonce, certificate) =>
      proved({ acceptNonce, certificate, side: 'accept' }),
    );
    const elsewhere = await answerTo((acceptNonce) => proved({ acceptNonce, certificate: 'AB:CD' }));
    const clear = await answerTo((acceptNonce) => proved({ acceptNonce, certificate: '' }));
    const channel = await answerTo((acceptNonce, certificate) =>
      proved({ acceptNonce, certificate, channel: 'control' }),
    );
    const nonsense = await answerTo(() => ({ hello: 'hub' }));
    assert.deepEqual(
      [wrong, repeated, reflected, elsewhere, clear, channel, nonsense],
      Array.from({ length: 7 }, () => undefined),
    );
    // Once, however often it comes: whoever is refused does not fill the log.
    for (const why of ['wrong cluster secret', 'not understood']) {
      await until('the log names it', () => said().includes(`A peer at 127.0.0.1 was refused: ${why}`));
      assert.equal(said().split(`was refused: ${why}`).length, 2);
    }
  });

  it('whoever has proved nothing yet gets no more room than a proof takes, whichever side dialled', async () => {
    const ws = new WebSocket(node.address + PEER_PATHS.bulk, PEER_SUBPROTOCOL, { rejectUnauthorized: false });
    ws.on('error', () => undefined);
    const hungUp = new Promise((resolve) => ws.once('close', resolve));
    await new Promise((resolve) => ws.once('open', resolve));
    // A frame of any length could be a peer's, later; nobody waits for its end here.
    ws.send(Buffer.alloc(1024 * 1024), { fin: false });
    await until('the log names it', () => said().includes('it sends more than a proof'));
    await hungUp;

    const place = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => PEER_SUBPROTOCOL });
    let closed = 0;
    place.on('connection', (socket) => {
      socket.on('close', () => closed++);
      socket.on('error', () => undefined);
      socket.send(Buffer.alloc(1024 * 1024), { fin: false });
    });
    await new Promise((resolve) => place.once('listening', resolve));
    const { port } = place.address() as net.AddressInfo;
    const common = { channel: 'bulk', secret, self: () => other, check: () => undefined } as const;
    const link = new PeerLink({ ...common, address: `ws://127.0.0.1:${port}` });
    try {
      await until('it was tried twice', () => closed > 1);
      assert.equal(link.trouble, 'what answers there is no peer');
    } finally {
      link.close();
      place.close();
    }
  });

  it('another cluster’s node and another data directory are told why they are refused', async () => {
    const ask = (identity: PeerIdentity) =>
      answerTo((acceptNonce, certificate) => proved({ acceptNonce, certificate, identity }));
    const foreign = await ask({ ...other, cluster: '11111111-1111-4111-8111-111111111111' });
    assert.match(String(foreign?.['refused']), /another cluster/);
    const wiped = await ask({ ...other, uid: '11111111-1111-4111-8111-111111111111' });
    assert.match(String(wiped?.['refused']), /has another data directory/);
    assert.equal(foreign?.['mac'] ?? wiped?.['mac'], undefined);
  });

  it('somebody between two nodes who has the traffic but not the certificate gets nowhere', async () => {
    const folder = tempDir('ctx-between');
    const pair = await makePair(folder, 'between', { authority: await makeAuthority(folder, 'theirs') });
    const open = new Set<net.Socket>();
    let tries = 0;
    const between = tls.createServer(
      { cert: fs.readFileSync(pair.certFile), key: fs.readFileSync(pair.keyFile) },
      (socket) => {
        tries++;
        const onward = tls.connect({ port: node.hub.port, host: '127.0.0.1', rejectUnauthorized: false });
        for (const each of [socket, onward]) {
          open.add(each);
          each.on('error', () => undefined);
        }
        socket.pipe(onward).pipe(socket);
      },
    );
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
    const { port } = between.address() as net.AddressInfo;
    const common = { channel: 'bulk', secret, self: () => other, check: () => undefined } as const;
    const direct = new PeerLink({ ...common, address: node.address });
    const cut = new PeerLink({ ...common, address: `wss://127.0.0.1:${port}` });
    try {
      await until('the straight way works', () => direct.isOpen);
      await until('the other was tried and refused', () => tries > 2);
      assert.match(said(), /A peer at 127\.0\.0\.1 was refused: wrong cluster secret/);
      assert.equal(cut.isOpen, false);
      assert.ok(open.size > 0);
    } finally {
      direct.close();
      cut.close();
      for (const socket of open) socket.destroy();
      between.close();
    }
  });

  it('a node that lies is named and not believed: nothing of it is taken in, and the cluster goes on', async () => {
    const { ws, answer } = await dial((acceptNonce, certificate) => proved({ acceptNonce, certificate }));
    assert.ok((await answer)?.['mac'] !== undefined);
    const entry = {
      ...{ id: 'forged', type: 'decision', content: 'Forged', timestamp: '2026-01-31T09:30:00Z', client: 'x' },
      origin: 'alpha","sequence":1,"x":"',
    };
    const at = '2026-01-31T09:30:00.000Z';
    const data = Buffer.from(JSON.stringify({ v: 1, at, commands: [{ kind: 'publish', entries: [entry] }] }));
    const term = 1_000;
    ws.send(
      encodeMessage({
        ...{ kind: 'append', from: other.node, to: 1, term, previous: { term: 1, index: 1 }, commit: 2 },
        entries: [{ kind: 'data', term, index: 2, data }],
      }),
    );
    await until('it is named', () => said().includes(`What node ${other.node} sends is refused: Raft entry 2: `));
    assert.match(said(), /origin: is no name/);
    // Requests that are none, and messages in another's name.
    for (const name of ['lines', 'admin', 'propose', 'nothing']) {
      ws.send(encodeFrame({ request: 1, name, body: { after: 'x' } }));
    }
    const hungUp = new Promise((resolve) => ws.once('close', resolve));
    ws.send(encodeMessage({ kind: 'heartbeat', from: other.node + 1, to: 1, term, commit: 9 }));
    await hungUp;
    await until('the log says so', () => said().includes('it speaks for node'));
    await until('all see each other', allReachable, 30_000);
    assert.ok(!fs.readFileSync(path.join(node.dataDir, 'entries.jsonl'), 'utf8').includes('forged'));
    const stepped = await until('leadership still moves', async () => {
      const answered = await hubCommand(node.dataDir, 'stepdown');
      return answered.code === 0 ? answered : undefined;
    });
    assert.match(stepped.stdout, /leads now/);
    await until('nothing is wrong any more', async () => (await statusOf(node)).status.problems.length === 0, 30_000);
  });
});
