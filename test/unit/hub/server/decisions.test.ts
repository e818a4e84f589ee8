/** The small deciders of the server: rates, guesses, browsers, roles, frames. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../../../hub/limits';
import { AuthThrottle } from '../../../../hub/server/auth-throttle';
import { entriesFrame, pageFrame, textFrame } from '../../../../hub/server/frame';
import { PublishRate } from '../../../../hub/server/publish-rate';
import { requireRole } from '../../../../hub/server/roles';
import { isFromThisMachine, refusedByGuard, type WebGuard } from '../../../../hub/server/web-guard';
import { EVERYTHING, filtered, filterOf, letsThrough } from '../../../../hub/server/line-filter';
import { encodeLine } from '../../../../core/line';
import type { LogLine } from '../../../../hub/store/log-reader';
import type { RequestKind } from '../../../../core/wire';
import { MemoryLog, payloadOf } from '../../../support/memory-log';
import { sha256 } from '../../../support/sha256';

describe('publish rate', () => {
  const limits = { ...DEFAULT_LIMITS, publishBurst: 100, publishPerSecond: 10, publishBytesPerDay: 10_000 };

  it('lets a burst through, then says when to come back, and that is true', () => {
    const rate = new PublishRate(limits);
    assert.equal(rate.take('a', 64, 1, 0), 0);
    assert.equal(rate.take('a', 36, 1, 0), 0);
    const wait = rate.take('a', 5, 1, 0);
    assert.equal(wait, 500);
    assert.ok(rate.take('a', 5, 1, wait - 1) > 0);
    assert.equal(rate.take('a', 5, 1, wait), 0);
  });

  it('keeps accounts apart', () => {
    const rate = new PublishRate(limits);
    rate.take('a', 100, 1, 0);
    assert.ok(rate.take('a', 1, 1, 0) > 0);
    assert.equal(rate.take('b', 1, 1, 0), 0);
  });

  it('never lets more through than burst plus rate', () => {
    const tries = fc.array(fc.tuple(fc.integer({ min: 1, max: 64 }), fc.nat(2_000)), { maxLength: 200 });
    fc.assert(
      fc.property(tries, (all) => {
        const rate = new PublishRate({ ...limits, publishBytesPerDay: Infinity });
        let now = 0;
        let passed = 0;
        for (const [entries, pause] of all) {
          now += pause;
          if (rate.take('a', entries, 0, now) === 0) passed += entries;
          assert.ok(passed <= 100 + (now / 1_000) * 10 + 1e-6);
        }
      }),
    );
  });

  it('counts bytes per day', () => {
    const rate = new PublishRate(limits);
    assert.equal(rate.take('a', 1, 9_000, 0), 0);
    assert.equal(rate.take('a', 1, 2_000, 3_600_000), 23 * 3_600_000);
    assert.equal(rate.take('a', 1, 2_000, 24 * 3_600_000), 0);
  });

  it('is off with a burst of 0', () => {
    const rate = new PublishRate({ ...limits, publishBurst: 0 });
    for (let i = 0; i < 1_000; i++) assert.equal(rate.take('a', 64, 1_000_000, 0), 0);
  });
});

describe('authentication throttle', () => {
  it('slows down after ten failures per minute and address', () => {
    const throttle = new AuthThrottle();
    const delays = Array.from({ length: 12 }, () => throttle.delayMs(throttle.fail('1.2.3.4', 0)));
    assert.deepEqual(delays, [...Array.from({ length: 10 }, () => 0), 1_000, 1_000]);
    assert.equal(throttle.delayMs(throttle.fail('5.6.7.8', 0)), 0);
    assert.equal(throttle.delayMs(throttle.fail('1.2.3.4', 60_000)), 0);
  });
});

describe('web guard', () => {
  const guard: WebGuard = {
    hosts: new Set(['hub.example.org', '10.0.0.5']),
    origins: new Set(['https://ok.example.org']),
  };
  const why = (host: string | undefined, origin?: string, local = '127.0.0.1'): string | undefined =>
    refusedByGuard(guard, { host, origin }, local);

  it('lets loopback literals and configured names in, with any port', () => {
    for (const host of [
      'localhost',
      'localhost:9900',
      '127.0.0.1:1',
      '[::1]:9900',
      'HUB.example.org:9900',
      '10.0.0.5',
    ]) {
      assert.equal(why(host), undefined, host);
    }
    assert.equal(why('192.168.7.7:9900', undefined, '::ffff:192.168.7.7'), undefined);
    assert.equal(why('[fe80::1]:9900', undefined, 'fe80::1'), undefined);
  });

  it('refuses every other host', () => {
    for (const host of [
      undefined,
      '',
      'rebind.evil',
      '127.0.0.1.nip.io',
      'localhost.evil',
      'hub.example.org.',
      'hub.example.org@evil',
      '127.0.0.1:9900:1',
      'localhost:',
      '[::1',
      '192.168.7.7',
      'evil\\@localhost',
    ]) {
      assert.equal(why(host), 'host', host);
    }
  });

  it('lets an origin in only when it is absent or exactly listed', () => {
    assert.equal(why('localhost', 'https://ok.example.org'), undefined);
    for (const origin of [
      'https://evil',
      'null',
      '',
      'https://ok.example.org.evil',
      'https://OK.example.org',
      'https://ok.example.org.',
      'https://ok.example.org:443',
      'http://ok.example.org',
      'http://localhost',
      'http://127.0.0.1:9900',
    ]) {
      assert.equal(why('localhost', origin), 'origin', origin);
    }
  });
});

describe('roles', () => {
  it('admin registers and revokes, clients publish and read, and nothing else', () => {
    const kinds: readonly RequestKind[] = [
      'publish',
      'listen',
      'sync',
      'status',
      'register',
      'client_list',
      'client_revoke',
    ];
    const may = (identity: Parameters<typeof requireRole>[0]): string[] =>
      kinds.filter((kind) => {
        try {
          requireRole(identity, kind);
          return true;
        } catch {
          return false;
        }
      });
    assert.deepEqual(may({ kind: 'admin', id: 'a', digest: 'd' }), [
      'status',
      'register',
      'client_list',
      'client_revoke',
    ]);
    const client = { kind: 'client', id: 'a', project: 'p', client: 'c', digest: 'd' } as const;
    assert.deepEqual(may(client), ['publish', 'listen', 'sync', 'status']);
  });
});

describe('frames and filters', () => {
  it('are whole text frames at every length', () => {
    for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]) {
      assert.equal(payloadOf(textFrame('é'.repeat(length / 2))).length, Math.floor(length / 2));
      assert.equal(payloadOf(textFrame('x'.repeat(length))), 'x'.repeat(length));
    }
  });

  it('hold lines as they are on disk', () => {
    const log = new MemoryLog();
    log.commit([1, 200, 70_000]);
    const cursor = log.cursorAt(3);
    const parsed = JSON.parse(payloadOf(entriesFrame(log.lines, cursor))) as unknown;
    const entries = log.lines.map((line) => JSON.parse(Buffer.from(line.bytes).toString()) as unknown);
    assert.deepEqual(parsed, { kind: 'entries', cursor, entries });
    const page = JSON.parse(payloadOf(pageFrame(7, log.lines.slice(0, 1), cursor, true))) as unknown;
    assert.deepEqual(page, { kind: 'page', request: 7, cursor, more: true, entries: entries.slice(0, 1) });
    assert.deepEqual(JSON.parse(payloadOf(entriesFrame([], cursor))), { kind: 'entries', cursor, entries: [] });
  });

  it('a filter holds back other types, never a redaction', () => {
    const log = new MemoryLog();
    log.commit([1, 1, 1, 1]);
    assert.deepEqual(filterOf(undefined), EVERYTHING);
    assert.deepEqual(filterOf(['decision', 'learning', 'convention', 'task']), EVERYTHING);
    assert.deepEqual(
      filtered(filterOf(['task', 'decision']), log.lines).map((line) => line.type),
      ['task', 'decision'],
    );
    const redaction = { sequence: 5, type: 'redaction', digest: '', bytes: new Uint8Array() } as const;
    assert.ok(letsThrough(filterOf(['task']), redaction));
    assert.ok(letsThrough(filterOf(['task'], { types: ['decision'], origins: ['gamma'] }), redaction));
  });

  it('a filter never lets more through than is granted, and own entries of the granted types always', () => {
    const log = new MemoryLog();
    log.commit([1, 1, 1, 1, 1, 1, 1, 1]);
    const originOf = (line: LogLine): unknown =>
      (JSON.parse(Buffer.from(line.bytes).toString('utf8')) as { origin: unknown }).origin;
    const left = (...filter: Parameters<typeof filterOf>): readonly string[] =>
      filtered(filterOf(...filter), log.lines).map((line) => `${line.type} of ${String(originOf(line))}`);
    assert.deepEqual(left(undefined, { types: ['task'] }), ['task of beta', 'task of alpha']);
    assert.deepEqual(left(['decision'], { types: ['task'] }), []);
    assert.deepEqual(left(['task'], { origins: ['beta'] }, 'gamma'), ['task of beta']);
    assert.deepEqual(left(['task'], { origins: ['gamma'] }, 'alpha'), ['task of alpha']);
    assert.deepEqual(left(undefined, { origins: ['gamma'] }, 'gamma'), []);
  });

  it('the origin is that of the line, whatever its content says', () => {
    const text = 'a","origin":"beta","client":"b","timestamp":"t\\","origin":"beta","x":"';
    const fields = { id: 'e-1', type: 'task', content: text, origin: 'alpha', client: 'a', sequence: 1 } as const;
    const times = { timestamp: '2026-01-31T09:30:00Z', received_at: '2026-01-31T09:30:00.000Z' };
    const { text: line, digest } = encodeLine(sha256, { ...fields, ...times }, '0.x', 1);
    const logLine = { sequence: 1, type: 'task', digest, bytes: Buffer.from(line) } as const;
    assert.ok(letsThrough(filterOf(undefined, { origins: ['alpha'] }), logLine));
    assert.ok(!letsThrough(filterOf(undefined, { origins: ['beta'] }), logLine));
  });

  it('the same access in other words shares frames; other access never does', () => {
    const key = (...filter: Parameters<typeof filterOf>): string => filterOf(...filter).key;
    assert.equal(
      key(['task', 'decision'], { origins: ['b', 'a'] }, 'c'),
      key(['decision', 'task'], { origins: ['c', 'a'] }, 'b'),
    );
    assert.notEqual(key(undefined, { origins: ['a'] }, 'b'), key(undefined));
    assert.notEqual(key(undefined, { origins: ['a'] }, 'b'), key(undefined, { origins: ['a'] }, 'c'));
  });
});

describe('who may control a hub with its control secret', () => {
  it('is on the same machine: on loopback, or on the very address that the hub listens on', () => {
    for (const remoteAddress of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
      assert.ok(isFromThisMachine({ remoteAddress, localAddress: remoteAddress }), remoteAddress);
    }
    assert.ok(isFromThisMachine({ remoteAddress: '10.0.0.1', localAddress: '10.0.0.1' }));
    assert.ok(!isFromThisMachine({ remoteAddress: '10.0.0.2', localAddress: '10.0.0.1' }));
    assert.ok(!isFromThisMachine({ remoteAddress: '128.0.0.1', localAddress: '127.0.0.1' }));
    assert.ok(!isFromThisMachine({ remoteAddress: undefined, localAddress: undefined }));
  });
});
