import assert from 'node:assert/strict';
import fs from 'node:fs';
import fc from 'fast-check';
import { ENTRY_TYPES, type EntryType, type PublishedEntry, type StoredEntry } from '../../../../core/entry';
import { requireConnection } from '../../../../core/node/connection-file';
import { readMirror } from '../../../../core/node/mirror';
import { readMirrorState } from '../../../../core/node/mirror-state';
import { Outbox } from '../../../../core/node/outbox';
import { shareEntry } from '../../../../core/node/share';
import { readLedger } from '../../../../core/node/share-ledger';
import { SyncClient, type SyncClientOptions, type SyncSnapshot } from '../../../../core/node/sync-client';
import { FakeHub } from '../../../support/fake-hub';
import { removeTempDirs, until } from '../../../support/processes';
import { scaled } from '../../../support/scale';
import { makeProject, type TestProject } from '../../../support/test-project';

let minted = 0;
const entry = (type: EntryType = 'decision', content = 'Use UTC\n\nAlways.'): PublishedEntry => ({
  id: `id-${++minted}`,
  type,
  content: `${content} ${minted}`,
  timestamp: '2026-01-31T09:30:00Z',
});

interface Watched {
  readonly client: SyncClient;
  readonly seen: StoredEntry[];
  readonly said: string[];
  readonly phase: (phase: SyncSnapshot['phase']) => Promise<SyncSnapshot>;
  /** Up to date with the hub, nothing in the outbox. */
  readonly settled: (hub: FakeHub) => Promise<void>;
}

type More = Partial<Pick<SyncClientOptions, 'keepEntries' | 'random'>>;

function watch({ dir, env }: TestProject, more: More = {}): Watched {
  const seen: StoredEntry[] = [];
  const said: string[] = [];
  const client = new SyncClient({
    projectDir: dir,
    env,
    log: (message) => said.push(message),
    onChange: () => undefined,
    onEntries: (entries) => seen.push(...entries),
    random: () => 0,
    ...more,
  });
  client.start();
  const phase = (wanted: string): Promise<SyncSnapshot> =>
    until(`phase ${wanted}, now ${client.snapshot().phase}`, () => {
      const now = client.snapshot();
      return now.phase === wanted && now;
    });
  const settled = async (hub: FakeHub): Promise<void> => {
    await until('in step with the hub', () => {
      const { phase: now, cursor, outbox } = client.snapshot();
      const level =
        (cursor?.sequence ?? 0) === hub.log.length && (cursor === undefined || cursor.digest === hub.head.digest);
      return now === 'live' && level && outbox === 0;
    });
  };
  return { client, seen, said, phase, settled };
}

const ids = (entries: readonly { id: string }[]): string[] => entries.map(({ id }) => id);

describe('sync client', () => {
  let hub: FakeHub;
  let project: TestProject;
  let open: Watched[] = [];
  const start = (more?: More): Watched => {
    const watched = watch(project, more);
    open.push(watched);
    return watched;
  };

  beforeEach(async () => {
    hub = new FakeHub();
    project = makeProject('alpha');
    await project.connect({ hub_addr: await hub.listen() });
  });
  afterEach(async () => {
    await Promise.all(open.map(({ client }) => client.close()));
    open = [];
    await hub.close();
  });
  after(removeTempDirs);

  it('addresses that the hub names are kept for the next start, bad ones are not', async () => {
    const other = new FakeHub();
    const named = await other.listen();
    hub.cluster = [hub.address, named, 'http://nonsense', 'ws://user:pass@x', named];
    const first = start();
    await first.settled(hub);
    await until('they are kept', async () => {
      const { peers } = await requireConnection(project.paths, project.env);
      return peers?.join() === named;
    });
    await first.client.close();
    await hub.close();
    // The first address is gone: only who remembers finds the other one.
    const second = start();
    await second.phase('live');
    assert.equal(second.client.snapshot().address, named);
    await second.client.close();
    await other.close();
  });

  it('mirrors what others shared, notes what is ours, and tells each entry once', async () => {
    hub.append('beta', entry(), entry('learning'));
    hub.append('alpha', entry());
    const { settled, seen } = start();
    await settled(hub);
    hub.append('gamma', entry('task'));
    await settled(hub);
    const others = hub.log.filter(({ origin }) => origin !== 'alpha');
    assert.deepEqual(seen, others);
    assert.deepEqual(await readMirror(project.dir), others);
    assert.deepEqual(
      [...(await readLedger(project.paths)).keys()],
      ids(hub.log.filter(({ origin }) => origin === 'alpha')),
    );
  });

  it('goes on from its cursor in the next life: nothing twice, nothing missed', async () => {
    hub.append('beta', entry(), entry());
    const first = start();
    await first.settled(hub);
    await first.client.close();
    hub.append('beta', entry());
    const second = start();
    await second.settled(hub);
    assert.deepEqual(ids(second.seen), ids(hub.log.slice(2)));
    assert.deepEqual(await readMirror(project.dir), hub.log);
  });

  it('survives being cut at every byte of what the hub sends', async () => {
    for (let i = 0; i < 5; i++) hub.append('beta', entry());
    for (let bytes = 0, step = scaled(97, 7); bytes < 3_000; bytes += step) {
      hub.cutAfterBytes = bytes;
      const each = watch(project);
      await each.settled(hub);
      await each.client.close();
    }
    assert.deepEqual(await readMirror(project.dir), hub.log);
  });

  it('leaves out what a hub repeats', async () => {
    hub.repeats = true;
    for (let i = 0; i < 7; i++) hub.append('beta', entry());
    const { settled, seen } = start();
    await settled(hub);
    assert.deepEqual(ids(seen), ids(hub.log));
    assert.deepEqual(await readMirror(project.dir), hub.log);
  });

  it('sends the outbox: what waited, and what another process adds while it is connected', async () => {
    const [early, late] = [entry(), entry()];
    await new Outbox(project.paths).add([early]);
    const { settled, client } = start();
    await settled(hub);
    await new Outbox(project.paths).add([late]);
    await until('sent', () => hub.log.length === 2);
    await settled(hub);
    assert.deepEqual(ids(hub.log), [early.id, late.id]);
    assert.equal(client.snapshot().outbox, 0);
    assert.equal((await readLedger(project.paths)).get(late.id)?.sequence, 2);
  });

  it('obeys rate_limited: nothing is sent before the hub said', async () => {
    hub.refusals.push({ code: 'rate_limited', retryAfterMs: 400 });
    await new Outbox(project.paths).add([entry()]);
    const began = performance.now();
    const { settled } = start();
    await settled(hub);
    assert.ok(performance.now() - began >= 400);
    assert.equal(hub.publishes, 2);
  });

  it('obeys rate_limited also when what was sent before has just changed the outbox', async () => {
    hub.refusals.push(undefined, { code: 'rate_limited', retryAfterMs: 1_000 });
    await new Outbox(project.paths).add(Array.from({ length: 65 }, () => entry()));
    const { settled, said } = start();
    await until('it was asked to wait', () => hub.publishes === 2);
    const asked = performance.now();
    await settled(hub);
    assert.ok(performance.now() - asked >= 900, `came back after ${Math.round(performance.now() - asked)} ms`);
    assert.equal(hub.publishes, 3);
    assert.equal(said.filter((message) => message.includes('1 entry waits to be shared (rate_limited)')).length, 1);
  });

  it('a hub that refuses and names no time to wait is asked ever more rarely', async () => {
    hub.refusals.push(...Array.from({ length: 50 }, () => ({ code: 'rate_limited', retryAfterMs: 0 }) as const));
    await new Outbox(project.paths).add([entry()]);
    const began = performance.now();
    start({ random: () => 0.5 });
    await until('asked four times', () => hub.publishes >= 4);
    assert.ok(performance.now() - began >= 1_700, 'after 250, 500 and 1,000 ms');
  });

  it('a refused entry leaves the outbox with its reason, and the others go through', async () => {
    const [good, conflicting] = [entry(), entry()];
    hub.append('beta', { ...conflicting, content: 'something else' });
    await new Outbox(project.paths).add([conflicting, good]);
    const { settled, said } = start();
    await settled(hub);
    const rejected = await new Outbox(project.paths).rejected();
    assert.deepEqual(
      rejected.map((each) => [each.entry.id, each.error.code]),
      [[conflicting.id, 'id_conflict']],
    );
    assert.ok(said.some((message) => message.includes(conflicting.id)));
    assert.ok(ids(hub.log).includes(good.id));
  });

  it('a batch refused as a whole is taken apart: one bad entry stops no other', async () => {
    hub.refusals.push({ code: 'invalid' }, { code: 'invalid' });
    const waiting = [entry(), entry(), entry()];
    await new Outbox(project.paths).add(waiting);
    const { settled } = start();
    await settled(hub);
    assert.deepEqual(ids(hub.log), ids(waiting.slice(1)));
    assert.deepEqual(
      (await new Outbox(project.paths).rejected()).map((each) => each.entry.id),
      [waiting[0]?.id],
    );
  });

  it('a hub restored from a backup: said, read anew, own entries offered again, nothing doubled', async () => {
    const own = [entry(), entry(), entry()];
    hub.append('beta', entry());
    await new Outbox(project.paths).add(own);
    const { settled, said, seen } = start();
    await settled(hub);
    const before = hub.log.length;
    hub.restore(2);
    hub.append('gamma', entry());
    await until('own entries are back', () => own.every(({ id }) => ids(hub.log).includes(id)));
    await settled(hub);
    assert.equal(new Set(ids(hub.log)).size, hub.log.length);
    assert.equal(hub.log.length, before + 1);
    assert.deepEqual(
      await readMirror(project.dir),
      hub.log.filter(({ origin }) => origin !== 'alpha'),
    );
    assert.equal(said.filter((message) => message.includes('history')).length, 1);
    assert.ok(seen.length >= 2);
  });

  it('restored while an entry was on its way: what comes in late does not keep it waiting for an end that is no more', async () => {
    const one = start();
    hub.append('beta', entry('decision'));
    await one.settled(hub);
    hub.append('beta', entry('decision'));
    hub.restore(0);
    await one.settled(hub);
    assert.deepEqual(
      (await readMirror(project.dir)).map(({ id }) => id),
      [],
    );
  });

  it('a node of a cluster that lags behind an own entry is no other history', async () => {
    hub.append('beta', entry('learning'));
    await shareEntry(project.dir, entry('decision'), { env: project.env });
    hub.cluster = [hub.address];
    hub.heldAt = 1;
    const { settled, said, phase } = start();
    await until('it listens', () => hub.listeners === 1);
    hub.holdAt(Infinity);
    await phase('live');
    await settled(hub);
    assert.deepEqual(
      said.filter((message) => message.includes('history')),
      [],
    );
  });

  it('another hub behind the same address and token is noticed by its id', async () => {
    hub.append('beta', entry());
    const { settled, client } = start();
    await settled(hub);
    hub.cutAll();
    hub.id = '22222222-2222-4222-8222-222222222222';
    hub.restore(0);
    hub.append('gamma', entry());
    await settled(hub);
    assert.deepEqual(await readMirror(project.dir), hub.log);
    assert.equal((await readMirrorState(project.paths))?.hub_id, hub.id);
    assert.equal(client.snapshot().phase, 'live');
  });

  it('types: only the subscribed ones; one that is added is filled in from the start, in order; one that goes takes its file', async () => {
    const all = ENTRY_TYPES.flatMap((type) => [entry(type), entry(type)]);
    hub.append('beta', ...all);
    const { hub_addr } = { hub_addr: hub.address };
    await project.connect({ hub_addr, types: ['decision'] });
    const { settled } = start();
    await settled(hub);
    const ofTypes = (...types: EntryType[]): StoredEntry[] => hub.log.filter(({ type }) => types.includes(type));
    assert.deepEqual(await readMirror(project.dir), ofTypes('decision'));
    await project.connect({ hub_addr, types: ['decision', 'task', 'learning'] });
    await until('filled in', async () => (await readMirror(project.dir)).length === 6);
    hub.append('beta', entry('task'));
    await settled(hub);
    assert.deepEqual(await readMirror(project.dir), ofTypes('decision', 'task', 'learning'));
    await project.connect({ hub_addr, types: ['task'] });
    await until('gone', () => !fs.existsSync(project.paths.mirror.decision));
    await settled(hub);
    assert.deepEqual(await readMirror(project.dir), ofTypes('task'));
    await project.connect({ hub_addr, types: [] });
    await until('gone', () => !fs.existsSync(project.paths.mirror.task));
    await until('live without a subscription', () => open[0]?.client.snapshot().phase === 'live');
  });

  it('a foreign edit of the mirror is said and undone, at the start and while it runs', async () => {
    hub.append('beta', entry(), entry());
    const first = start();
    await first.settled(hub);
    fs.appendFileSync(project.paths.mirror.decision, '\n## mine\n');
    hub.append('beta', entry());
    await first.settled(hub);
    assert.deepEqual(await readMirror(project.dir), hub.log);
    assert.ok(!fs.readFileSync(project.paths.mirror.decision, 'utf8').includes('mine'));
    await first.client.close();
    const text = fs.readFileSync(project.paths.mirror.decision, 'utf8');
    fs.writeFileSync(project.paths.mirror.decision, text.replace('Use UTC', 'Use ETC'));
    const second = start();
    await second.settled(hub);
    assert.equal(fs.readFileSync(project.paths.mirror.decision, 'utf8'), text);
    assert.ok(second.said.some((message) => message.includes('decisions.md')));
  });

  it('two at once: one keeps the mirror, both tell every entry; when that one ends the other takes over', async () => {
    hub.append('beta', entry());
    const [first, second] = [start(), start()];
    await Promise.all([first.settled(hub), second.settled(hub)]);
    hub.append('beta', entry());
    await Promise.all([first.settled(hub), second.settled(hub)]);
    assert.deepEqual(await readMirror(project.dir), hub.log);
    assert.deepEqual(
      [first.said, second.said].map((said) => said.filter((each) => each.includes('keeps the mirror')).length).sort(),
      [0, 1],
    );
    const [keeper, other] = first.said.length === 0 ? [first, second] : [second, first];
    await keeper.client.close();
    hub.append('beta', entry());
    await until(
      'mirrored by the other',
      async () => {
        hub.append('beta', entry());
        await other.settled(hub);
        return (await readMirror(project.dir)).length === hub.log.length;
      },
      20_000,
    );
    assert.deepEqual(await readMirror(project.dir), hub.log);
    assert.equal(new Set(ids(other.seen)).size, other.seen.length);
  });

  it('a mirror that grows is cut down to its newest entries, the others go to the archive', async () => {
    const { settled } = start({ keepEntries: 8 });
    for (let i = 0; i < 60; i++) {
      hub.append('beta', entry());
      if (i % 7 === 0) await settled(hub);
    }
    await settled(hub);
    const kept = await readMirror(project.dir);
    assert.ok(kept.length >= 8 && kept.length <= 12, `${kept.length} kept`);
    assert.deepEqual(kept, hub.log.slice(-kept.length));
    const archived = fs
      .readdirSync(project.paths.archiveDir)
      .sort()
      .map((name) => fs.readFileSync(`${project.paths.archiveDir}/${name}`, 'utf8'));
    const found = archived.flatMap((text) => [...text.matchAll(/ctx:id=(\S+)/g)].map((match) => match[1]));
    assert.deepEqual([...found, ...ids(kept)], ids(hub.log));
  });

  it('a half-open connection is given up within the heartbeat limit, and the hub found again (FM-11)', async () => {
    hub.heartbeatMs = 200;
    const { settled, seen } = start();
    await settled(hub);
    hub.freeze();
    const began = performance.now();
    hub.append('beta', entry());
    await settled(hub);
    const took = performance.now() - began;
    assert.ok(took > 150 && took < 1_500, `${took} ms`);
    assert.deepEqual(ids(seen), ids(hub.log));
  });

  it('a quiet hub that answers pings is not given up', async () => {
    hub.heartbeatMs = 400;
    const { settled, client } = start();
    await settled(hub);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(client.snapshot().lastError, undefined);
    assert.equal(hub.sessions, 1);
  });

  it('a revoked token stops it for good, with the next step in the message', async () => {
    const { settled, phase, client } = start();
    await settled(hub);
    hub.closeAll(4401);
    const { lastError } = await phase('stopped');
    assert.equal(lastError?.code, 'unauthenticated');
    assert.match(lastError.message, /register/);
    assert.equal(client.snapshot().retryInMs, undefined);
  });

  it('not connected: stopped with what to do; a registration while it runs is noticed', async () => {
    fs.rmSync(project.paths.connection);
    const { phase, settled } = start();
    assert.equal((await phase('stopped')).lastError?.code, 'config');
    await project.connect({ hub_addr: hub.address });
    await settled(hub);
  });

  describe('any interleaving of entries, shares, cuts, restarts, backups, repeats and new lives', () => {
    const act = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('others'), type: fc.constantFrom(...ENTRY_TYPES) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('share'), type: fc.constantFrom(...ENTRY_TYPES) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut') }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('cutAfter'), bytes: fc.nat(3_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore'), lost: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat') }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('life') }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle') }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('types'),
          types: fc.uniqueArray(fc.constantFrom(...ENTRY_TYPES), { minLength: 1 }),
        }),
      },
    );

    it('the mirror always ends equal to the hub for the subscribed types, and every own entry is on the hub once', async function () {
      this.timeout(scaled(120_000, 1_200_000));
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
          const theHub = new FakeHub();
          const its = makeProject('alpha');
          const hub_addr = await theHub.listen();
          await its.connect({ hub_addr });
          let types: readonly EntryType[] = ENTRY_TYPES;
          let now = watch(its);
          const shared = new Map<string, PublishedEntry>();
          try {
            for (const each of acts as readonly ({ kind: string } & Record<string, unknown>)[]) {
              if (each.kind === 'others') theHub.append('beta', entry(each['type'] as EntryType));
              if (each.kind === 'share') {
                const mine = entry(each['type'] as EntryType);
                shared.set(mine.id, mine);
                await new Outbox(its.paths).add([mine]);
              }
              if (each.kind === 'cut') theHub.cutAll();
              if (each.kind === 'cutAfter') theHub.cutAfterBytes = each['bytes'] as number;
              if (each.kind === 'restore') theHub.restore(Math.max(0, theHub.log.length - (each['lost'] as number)));
              if (each.kind === 'repeat') theHub.repeats = !theHub.repeats;
              if (each.kind === 'life') {
                await now.client.close();
                now = watch(its);
              }
              if (each.kind === 'settle') await now.settled(theHub);
              if (each.kind === 'types') {
                types = each['types'] as EntryType[];
                await its.connect({ hub_addr, types: [...types] });
              }
            }
            theHub.cutAfterBytes = undefined;
            // A change of the subscription is noticed by a watch; the next life surely knows it.
            await now.client.close();
            now = watch(its);
            await now.settled(theHub);
            await until('own entries are on the hub', () =>
              [...shared.keys()].every((id) => theHub.log.some((line) => line.id === id)),
            );
            await now.settled(theHub);
            const wanted = theHub.log.filter(({ origin, type }) => origin !== 'alpha' && types.includes(type));
            assert.deepEqual(await readMirror(its.dir), wanted);
            assert.equal(new Set(ids(theHub.log)).size, theHub.log.length);
            for (const [id, mine] of shared) {
              const stored = theHub.log.filter((line) => line.id === id);
              assert.deepEqual([stored.length, stored[0]?.content, stored[0]?.origin], [1, mine.content, 'alpha']);
            }
            assert.deepEqual(await new Outbox(its.paths).rejected(), []);
          } finally {
            await now.client.close();
            await theHub.close();
          }
        }),
        { numRuns: scaled(25, 1_000) },
      );
    });
  });

  it('share: on the hub and in the ledger with its sequence; again = the same one', async () => {
    const mine = entry();
    const outcome = await shareEntry(project.dir, mine, { env: project.env });
    assert.deepEqual(outcome, { kind: 'shared', id: mine.id, sequence: 1, duplicate: false });
    const again = await shareEntry(project.dir, mine, { env: project.env });
    assert.deepEqual(again, { kind: 'shared', id: mine.id, sequence: 1, duplicate: true });
    assert.equal(await new Outbox(project.paths).count(), 0);
  });
});
