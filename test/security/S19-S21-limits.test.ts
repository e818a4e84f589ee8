/** S19, S20, S21: exceeding a limit harms the one who does it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { openSession } from '../../core/node/hub-session';
import type { Cursor } from '../../core/cursor';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { rawSession, upgradeStatus, type RawSession } from '../support/raw-session';
import { shared } from '../support/shared-entry';

function connect(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
  });
}

const isClosed = (socket: net.Socket): boolean => socket.destroyed || socket.readableEnded;

function residentBytes(pid: number | undefined): number | undefined {
  try {
    const status = fs.readFileSync(`/proc/${pid ?? 0}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024;
  } catch {
    return undefined; // Only Linux tells.
  }
}

describe('S19, S20, S21: limits', () => {
  let hub: HubProcess;
  let sockets: net.Socket[] = [];
  let sessions: RawSession[] = [];

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    for (const session of sessions) session.ws.terminate();
    sockets = [];
    sessions = [];
    await hub.stop();
  });
  after(removeTempDirs);

  const raw = async (token: string): Promise<RawSession> => {
    const session = await rawSession(hub.address, token);
    sessions.push(session);
    return session;
  };

  it('eight sessions per token, the ninth gets 429; another token is served', async () => {
    hub = await startHub();
    const { token } = await registerClient(hub, 'alpha');
    const other = await registerClient(hub, 'beta');
    for (let i = 0; i < 8; i++) await raw(token);
    assert.equal(await upgradeStatus(hub.address, { token }), 429);
    assert.equal(await upgradeStatus(hub.address, { token: other.token }), 101);
    sessions[0]?.ws.close();
    await until('one is free again', async () => (await upgradeStatus(hub.address, { token })) === 101);
  });

  it('sessions in total: the next gets 503', async () => {
    hub = await startHub({ args: ['--max-sessions', '3'] });
    const { token } = await registerClient(hub, 'alpha');
    for (let i = 0; i < 3; i++) await raw(token);
    assert.equal(await upgradeStatus(hub.address, { token }), 503);
  });

  it('400 half-open connections are closed within 6 s, and keep nobody out meanwhile', async function () {
    this.timeout(60_000);
    hub = await startHub();
    const { token } = await registerClient(hub, 'alpha');
    for (let i = 0; i < 400; i++) {
      const socket = await connect(hub.port);
      sockets.push(socket);
      socket.resume();
      socket.on('error', () => undefined);
      // Half of them say nothing at all, half begin a request and never end it.
      if (i % 2 === 0) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-');
    }
    const drip = setInterval(() => sockets.filter((each) => each.writable).forEach((each) => each.write('a')), 1_000);
    const begun = performance.now();
    const session = await raw(token);
    await session.next((message) => message['kind'] === 'hello');
    assert.ok(performance.now() - begun < 2_000);
    await until('all half-open ones are closed', () => sockets.every(isClosed), 15_000);
    clearInterval(drip);
    assert.equal((await session.ask({ kind: 'status', request: 1 }))['kind'], 'status');
  });

  it('publishing too much is answered rate_limited with the time to wait; others go on', async () => {
    hub = await startHub({ args: ['--publish-burst', '64', '--publish-rate', '1000'] });
    const { token } = await registerClient(hub, 'flood');
    const other = await registerClient(hub, 'calm');
    const session = await openSession({ address: hub.address, token });
    const batch = (from: number) => Array.from({ length: 64 }, (_, i) => shared(`f-${from + i}`));
    await session.publish(batch(0));
    const refused = await session.publish(batch(64)).then(
      () => undefined,
      (error: unknown) => error as { code: string; retryAfterMs: number; outcome: string },
    );
    assert.deepEqual([refused?.code, refused?.outcome], ['rate_limited', 'refused']);
    const wait = refused?.retryAfterMs ?? 0;
    assert.ok(wait > 0 && wait <= 64);
    const calm = await openSession({ address: hub.address, token: other.token });
    await calm.publish([shared('calm')]);
    await until('it passes after the wait', () =>
      session.publish(batch(64)).then(
        () => true,
        () => false,
      ),
    );
    await Promise.all([session.close(), calm.close()]);
  });

  it('50 stalled listeners cost no memory, are not lost, and resume without a gap', async function () {
    this.timeout(180_000);
    hub = await startHub({ args: ['--no-rate-limit', '--max-sessions-per-token', '100'] });
    const { token } = await registerClient(hub, 'alpha');
    const publisher = await openSession({ address: hub.address, token, timeoutMs: 60_000 });
    const content = `Long\n\n${'x'.repeat(10_000)}`;
    const publish = async (from: number, count: number): Promise<void> => {
      for (let at = from; at < from + count; at += 64) {
        await publisher.publish(Array.from({ length: 64 }, (_, i) => shared(`s-${at + i}`, { content })));
      }
    };
    await publish(0, 640);
    for (let i = 0; i < 50; i++) {
      const session = await raw(token);
      await session.ask({ kind: 'listen', request: 1 });
      session.ws.pause();
    }
    const before = residentBytes(hub.process.process.pid);
    await publish(640, 6_400);
    const after = residentBytes(hub.process.process.pid);
    if (before !== undefined && after !== undefined) {
      assert.ok(after - before < 100 * 1024 * 1024, `grew by ${Math.round((after - before) / 1024 / 1024)} MiB`);
    }
    const one = sessions[7];
    one?.ws.resume();
    const sequences = (): number[] =>
      (one?.messages ?? [])
        .filter((message) => message['kind'] === 'entries')
        .flatMap((message) => message['entries'] as readonly { sequence: number }[])
        .map((entry) => entry.sequence);
    await until('it has caught up', () => sequences().length >= 7_040, 60_000);
    assert.deepEqual(
      sequences(),
      Array.from({ length: 7_040 }, (_, i) => i + 1),
    );
    await publisher.close();
  });

  it('a listener that begins in the middle of a publish storm gets every entry once (S22)', async function () {
    this.timeout(120_000);
    hub = await startHub({ args: ['--no-rate-limit', '--max-sessions-per-token', '400'] });
    const { token } = await registerClient(hub, 'alpha');
    const publisher = await openSession({ address: hub.address, token, timeoutMs: 60_000 });
    const total = 3_000;
    const starts: Promise<{ from: number; got: number[] }>[] = [];
    const begin = async (cursor: Cursor | undefined): Promise<{ from: number; got: number[] }> => {
      const session = await openSession({ address: hub.address, token, timeoutMs: 60_000 });
      const got: number[] = [];
      await session.listen(cursor, undefined, (push) => void got.push(...push.entries.map((entry) => entry.sequence)));
      await until('it is up to date', () => got.at(-1) === total, 60_000);
      await session.close();
      return { from: cursor?.sequence ?? 0, got };
    };
    for (let at = 0; at < total; at += 10) {
      const storm = publisher.publish(Array.from({ length: 10 }, (_, i) => shared(`w-${at + i}`)));
      if (starts.length < 200) starts.push(begin(at % 20 === 0 ? undefined : (await publisher.status()).head));
      await storm;
    }
    for (const { from, got } of await Promise.all(starts)) {
      assert.deepEqual(
        got,
        Array.from({ length: total - from }, (_, i) => from + i + 1),
      );
    }
    await publisher.close();
  });
});
