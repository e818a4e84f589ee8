/** S17, S18, S23, S24: what is too large or malformed is refused by a code, stores nothing, and harms no other session. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { MAX_CONTENT_BYTES, MAX_FRAME_BYTES } from '../../core/limits';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { rawSession, type Message, type RawSession } from '../support/raw-session';
import { shared } from '../support/shared-entry';

const codeOf = (answer: Message): string | undefined => (answer['error'] as { code?: string } | undefined)?.code;
const publish = (request: number, ...entries: readonly unknown[]): Message & { request: number } => ({
  kind: 'publish',
  request,
  entries,
});

/** [what, text]: not JSON that a hub lets in, so the session ends with 4400. */
const BAD_JSON: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no JSON', 'hello'],
  ['half a message', '{"kind":"publish","request":1'],
  ['an array', '[]'],
  ['null', 'null'],
  ['no request number', '{"kind":"status"}'],
  ['a negative request number', '{"kind":"status","request":-1}'],
  ['a request number beyond 2^53', '{"kind":"status","request":9007199254740993}'],
  ['a fraction as request number', '{"kind":"status","request":1.5}'],
  ['a key twice', '{"kind":"status","request":1,"request":2}'],
  ['__proto__', '{"kind":"status","request":1,"__proto__":{"x":1}}'],
  ['constructor deep inside', '{"kind":"status","request":1,"a":{"b":{"constructor":{"prototype":{"x":1}}}}}'],
  ['nine levels', `{"kind":"status","request":1,"a":${'['.repeat(8)}${']'.repeat(8)}}`],
  ['a hundred thousand levels', `{"kind":"status","request":1,"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ['65 keys', `{"kind":"status","request":1,${Array.from({ length: 63 }, (_, i) => `"k${i}":0`).join(',')}}`],
  ['a lone surrogate', '{"kind":"status","request":1,"a":"\\ud800"}'],
];

/** [what, entries]: JSON, but no publish: answered `invalid` under its number, the session stays. */
const BAD_SHAPES: readonly (readonly [string, unknown])[] = [
  ['no entries', []],
  ['entries that are no list', { 0: shared('x') }],
  ['65 entries', Array.from({ length: 65 }, (_, i) => shared(`x-${i}`))],
  ['an unknown type', [{ ...shared('x'), type: 'opinion' }]],
  ['an unknown member', [{ ...shared('x'), colour: 'red' }]],
  ['an unknown meta member', [{ ...shared('x'), meta: { mood: 'good' } }]],
  ['content that is no text', [{ ...shared('x'), content: 7 }]],
  ['no content', [{ id: 'x', type: 'task', timestamp: '2026-01-31T09:30:00Z' }]],
  ['null as id', [{ ...shared('x'), id: null }]],
];

/** [what, entry, code]: refused alone; the others of its batch are stored. */
const BAD_ENTRIES: readonly (readonly [string, object, string])[] = [
  ['empty content', { content: '' }, 'invalid'],
  ['content with CRLF', { content: 'a\r\nb' }, 'invalid'],
  ['content with a blank end', { content: 'a\n' }, 'invalid'],
  ['content with NUL', { content: 'a\0b' }, 'invalid'],
  ['content above 1 MiB', { content: 'x'.repeat(MAX_CONTENT_BYTES + 1) }, 'too_large'],
  ['content above 1 MiB of UTF-8', { content: 'é'.repeat(MAX_CONTENT_BYTES / 2 + 1) }, 'too_large'],
  ['an id with a slash', { id: '../x' }, 'invalid'],
  ['an id of 129 characters', { id: 'i'.repeat(129) }, 'invalid'],
  ['an empty id', { id: '' }, 'invalid'],
  ['an id with a line feed and a log line', { id: 'x\n{"level":30}' }, 'invalid'],
  ['no time', { timestamp: 'yesterday' }, 'invalid'],
  ['a 13th month', { timestamp: '2026-13-31T09:30:00Z' }, 'invalid'],
  ['meta of two lines', { meta: { tool: 'a\nb' } }, 'invalid'],
  ['meta above 256 bytes', { meta: { tool: 'x'.repeat(257) } }, 'invalid'],
  ['itself superseded', { id: 'me', supersedes: 'me' }, 'invalid'],
];

describe('S17, S23, S24: bad messages', () => {
  let hub: HubProcess;
  let token: string;
  let open: RawSession[] = [];
  const session = async (): Promise<RawSession> => {
    const opened = await rawSession(hub.address, token);
    open.push(opened);
    return opened;
  };
  const log = (): string => fs.readFileSync(path.join(hub.dataDir, 'entries.jsonl'), 'utf8');
  const isWell = async (): Promise<void> => {
    const other = await session();
    assert.equal((await other.ask({ kind: 'status', request: 1 }))['kind'], 'status');
  };

  before(async () => {
    hub = await startHub({ args: ['--no-rate-limit', '--max-sessions-per-token', '100'] });
    ({ token } = await registerClient(hub, 'alpha'));
  });
  afterEach(() => {
    for (const each of open) each.ws.terminate();
    open = [];
  });
  after(async () => {
    assert.equal((await hub.stop()).code, 0);
    removeTempDirs();
  });

  for (const [what, text] of BAD_JSON) {
    it(`${what}: error without a number, close 4400`, async () => {
      const bad = await session();
      bad.sendText(text);
      assert.equal((await bad.closed).code, 4400);
      const error = bad.messages.find((message) => message['kind'] === 'error');
      assert.ok(error);
      assert.deepEqual([error['request'], codeOf(error)], [null, 'invalid']);
      await isWell();
    });
  }

  for (const [what, entries] of BAD_SHAPES) {
    it(`publish with ${what}: invalid, nothing stored`, async () => {
      const before = log();
      const bad = await session();
      assert.equal(codeOf(await bad.ask({ kind: 'publish', request: 1, entries })), 'invalid');
      assert.equal((await bad.ask({ kind: 'status', request: 2 }))['kind'], 'status');
      assert.equal(log(), before);
    });
  }

  for (const [what, member, code] of BAD_ENTRIES) {
    it(`an entry with ${what}: ${code}, its neighbours are stored`, async () => {
      const key = what.replaceAll(/[^a-z]/g, '-');
      const before = log().length;
      const bad = await session();
      const answer = await bad.ask(
        publish(1, shared(`${key}-1`), { ...shared(`${key}-2`), ...member }, shared(`${key}-3`)),
      );
      const results = answer['results'] as readonly { id: string; error?: { code: string; outcome: string } }[];
      assert.deepEqual(
        results.map((result) => result.error?.code),
        [undefined, code, undefined],
      );
      assert.equal(results[1]?.error?.outcome, 'refused');
      const added = log().slice(before).trim().split('\n');
      assert.deepEqual(
        added.map((line) => (JSON.parse(line) as { id: string }).id),
        [`${key}-1`, `${key}-3`],
      );
    });
  }

  it('an unknown kind, and unknown members of a message', async () => {
    const one = await session();
    assert.equal(codeOf(await one.ask({ kind: 'dance', request: 1 })), 'invalid');
    assert.equal((await one.ask({ kind: 'status', request: 2, later: { version: 3 } }))['kind'], 'status');
  });

  it('content of 1 MiB passes, also when JSON escapes make it six times as long, and comes back after a restart', async () => {
    const plain = 'x'.repeat(MAX_CONTENT_BYTES);
    const escaped = `a${'\u0001'.repeat(MAX_CONTENT_BYTES - 2)}b`;
    const one = await session();
    for (const [request, content] of [plain, escaped].entries()) {
      const answer = await one.ask(publish(request, shared(`mib-${request}`, { content })));
      assert.equal(answer['kind'], 'published', JSON.stringify(answer).slice(0, 300));
    }
    await hub.kill9();
    hub = await startHub({ dataDir: hub.dataDir, args: ['--no-rate-limit', '--max-sessions-per-token', '100'] });
    const listener = await session();
    listener.send({ kind: 'listen', request: 1 });
    const contents = (): Map<string, string> =>
      new Map(
        listener.messages
          .filter((message) => message['kind'] === 'entries')
          .flatMap((message) => message['entries'] as readonly { id: string; content: string }[])
          .map((entry) => [entry.id, entry.content]),
      );
    await until('both are there', () => contents().has('mib-1'));
    assert.equal(contents().get('mib-0'), plain);
    assert.equal(contents().get('mib-1'), escaped);
  });

  it('a frame above 8 MiB ends its session with 1009', async () => {
    const bad = await session();
    bad.sendText(`{"kind":"status","request":1,"a":"${'x'.repeat(MAX_FRAME_BYTES)}"}`);
    assert.equal((await bad.closed).code, 1009);
    await isWell();
  });

  it('a binary frame ends its session with 4400', async () => {
    const bad = await session();
    bad.ws.send(Buffer.from('{"kind":"status","request":1}'), { binary: true });
    assert.equal((await bad.closed).code, 4400);
    await isWell();
  });

  it('a text frame that is no UTF-8 ends its session with 1007', async () => {
    const bad = await session();
    bad.ws.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false });
    assert.equal((await bad.closed).code, 1007);
    await isWell();
  });

  it('compression is not negotiated, and a compressed frame ends its session with 1002 (S18)', async () => {
    const offering = await rawSession(hub.address, token, { perMessageDeflate: true });
    open.push(offering);
    assert.equal(offering.ws.extensions, '');
    const { _socket: socket } = offering.ws as unknown as { _socket: NodeJS.WritableStream };
    socket.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0]));
    assert.equal((await offering.closed).code, 1002);
    await isWell();
  });

  it('floods of pings and of empty fragments end at most their own session', async () => {
    const bad = await session();
    const { _socket: socket } = bad.ws as unknown as { _socket: NodeJS.WritableStream };
    const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
    socket.write(Buffer.concat(Array.from({ length: 50_000 }, () => ping)));
    await isWell();
    const fragment = Buffer.from([0x00, 0x80, 0, 0, 0, 0]);
    const other = await session();
    const { _socket: second } = other.ws as unknown as { _socket: NodeJS.WritableStream };
    second.write(Buffer.from([0x01, 0x80, 0, 0, 0, 0]));
    second.write(Buffer.concat(Array.from({ length: 50_000 }, () => fragment)));
    assert.ok([1008, 1009].includes((await other.closed).code));
    await isWell();
  });

  it('any text whatever is answered or ends its session: no crash, no hang', async function () {
    this.timeout(120_000);
    const piece = fc.oneof(
      fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '\\u', 'd800', '1e999', '-', '__proto__', 'null'),
      fc.constantFrom('"kind":"publish"', '"kind":"listen"', '"request":1', '"entries":[', '"cursor":{', '"types":['),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 30 }), async (texts) => {
        const fuzzed = await session();
        for (const pieces of texts) fuzzed.sendText(pieces.join('').toWellFormed());
        fuzzed.send({ kind: 'status', request: 999 });
        await Promise.race([fuzzed.next((message) => message['request'] === 999), fuzzed.closed]);
        fuzzed.ws.terminate();
      }),
      { numRuns: 150 },
    );
    await isWell();
    assert.ok(!/"level":(50|60)/.test(hub.process.stderr()));
  });
});
