/** Registered clients: durable when answered, one active per project and name, revoked for good. */
import assert from 'node:assert/strict';
import { entry, publish, record } from '../../support/entries';
import type { InLab } from './engine-conformance';

const AT = '2026-02-01T00:00:00.000Z';

export function clientCases(inLab: InLab): void {
  it(
    'a registered client is found at once and after a crash; registering again replaces it',
    inLab(async (lab, opened) => {
      const [first, second] = [record('1'), record('2', { client: 'bob@server' })];
      assert.deepEqual(await opened.engine.propose({ kind: 'register', record: first }), {
        kind: 'registered',
        record: first,
      });
      await opened.engine.propose({ kind: 'register', record: second });
      assert.deepEqual(opened.clients.find(first.id), first);
      const again = record('1', { token_digest: 'cd'.repeat(32) });
      await opened.engine.propose({ kind: 'register', record: again });
      await lab.crash();
      const later = await lab.open();
      assert.deepEqual(later.clients.find(first.id), again);
      assert.deepEqual(
        later.clients
          .list()
          .map(({ id }) => id)
          .toSorted(),
        [first.id, second.id],
      );
      await later.engine.close();
    }),
  );

  it(
    'a revoked client stays revoked from its first time on; an unknown one is refused',
    inLab(async (lab, opened) => {
      const one = record('1');
      await opened.engine.propose({ kind: 'register', record: one });
      assert.deepEqual(await opened.engine.propose({ kind: 'revoke', clientId: one.id, at: AT }), {
        kind: 'revoked',
        clientId: one.id,
      });
      await opened.engine.propose({ kind: 'revoke', clientId: one.id, at: '2027-01-01T00:00:00.000Z' });
      const unknown = await opened.engine.propose({ kind: 'revoke', clientId: 'f'.repeat(16), at: AT });
      assert.deepEqual([unknown.kind, unknown.kind === 'refused' && unknown.error.code], ['refused', 'invalid']);
      assert.equal(opened.clients.find(one.id)?.revoked_at, AT);
      await lab.crash();
      const later = await lab.open();
      assert.equal(later.clients.find(one.id)?.revoked_at, AT);
      await later.engine.close();
    }),
  );

  it(
    'client changes and publishes that come together all take effect',
    inLab(async (lab, opened) => {
      const work = Array.from({ length: 12 }, (_, i) =>
        i % 3 === 0
          ? opened.engine.propose({ kind: 'register', record: record(String(i), { client: `c-${i}` }) })
          : opened.engine.propose(publish(entry(`m-${i}`))),
      );
      const results = await Promise.all(work);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? 'registered' : 'published')),
      );
      await opened.engine.close();
      const again = await lab.open();
      assert.deepEqual([again.reader.head().sequence, again.clients.list().length], [8, 4]);
      await again.engine.close();
    }),
  );
}
