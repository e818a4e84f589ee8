/** What registering, approving and limiting make of a client's record, and that the file keeps it. */
import assert from 'node:assert/strict';
import type { ClientAccess } from '../../../../core/access';
import { HubError } from '../../../../core/errors';
import { commandSince, decodeBatch, encodeBatch } from '../../../../hub/engine/raft/command-batch';
import {
  NO_CLIENTS,
  withGranted,
  withRegistered,
  withRevoked,
  type ClientTable,
} from '../../../../hub/state/client-table';
import type { AccessChange, ClientRecord } from '../../../../hub/state/commands';
import { decodeClients, encodeClients } from '../../../../hub/store/clients-file';

const AT = '2026-11-24T12:00:00.000Z';
const [ONE, TWO] = ['1'.repeat(16), '2'.repeat(16)];

const record = (id: string, access?: ClientAccess, client = 'ada@laptop'): ClientRecord => ({
  ...{ id, project: 'alpha', client, token_digest: id.repeat(4), created_at: AT },
  ...(access === undefined ? {} : { access }),
});

function granted(table: ClientTable, id: string, change: AccessChange): ClientTable {
  const result = withGranted(table, id, change);
  if (result instanceof HubError) throw result;
  return result.table;
}

const accessOf = (table: ClientTable, id: string): ClientAccess | undefined =>
  table.records.find((each) => each.id === id)?.access;

describe('access of clients', () => {
  const limited = granted(withRegistered(NO_CLIENTS, record(ONE)), ONE, {
    limits: { types: ['task', 'decision'], origins: ['beta'] },
  });

  it('approving clears "pending" and keeps the limits; limiting does not approve', () => {
    const pending = withRegistered(NO_CLIENTS, record(ONE, { pending: true }));
    const both = granted(pending, ONE, { limits: { types: ['task'] } });
    assert.deepEqual(accessOf(both, ONE), { pending: true, types: ['task'] });
    assert.deepEqual(accessOf(granted(both, ONE, { approve: true }), ONE), { types: ['task'] });
    assert.deepEqual(accessOf(granted(both, ONE, { limits: { all: true } }), ONE), { pending: true });
  });

  it('what is not named stays, "all" removes the limits of before, and no limits are no member', () => {
    assert.deepEqual(accessOf(limited, ONE), { types: ['decision', 'task'], origins: ['beta'] });
    const other = granted(limited, ONE, { limits: { types: ['learning'] } });
    assert.deepEqual(accessOf(other, ONE), { types: ['learning'], origins: ['beta'] });
    const only = granted(limited, ONE, { limits: { all: true, origins: ['gamma'] } });
    assert.deepEqual(accessOf(only, ONE), { origins: ['gamma'] });
    const free = granted(limited, ONE, { limits: { all: true } });
    assert.ok(!Object.hasOwn(free.records[0] ?? {}, 'access'));
  });

  it('registering again never widens: limits and "pending" stay, whatever the new id', () => {
    assert.deepEqual(accessOf(withRegistered(limited, record(ONE)), ONE), accessOf(limited, ONE));
    const anew = withRegistered(limited, record(TWO, { pending: true }));
    assert.deepEqual(anew.records.length, 1);
    assert.deepEqual(accessOf(anew, TWO), { pending: true, types: ['decision', 'task'], origins: ['beta'] });
    assert.deepEqual(accessOf(withRegistered(anew, record(TWO)), TWO)?.pending, true);
    assert.equal(accessOf(withRegistered(limited, record(TWO, undefined, 'bob@desk')), TWO), undefined);
  });

  it('an unknown or revoked client is granted nothing', () => {
    const revoked = withRevoked(limited, ONE, AT);
    assert.ok(!(revoked instanceof HubError));
    for (const [table, id] of [
      [revoked, ONE],
      [limited, TWO],
    ] as const) {
      const result = withGranted(table, id, { approve: true });
      assert.ok(result instanceof HubError && result.code === 'invalid');
    }
  });

  it('clients.json keeps it: what the hub wrote reads as written by the hub, revoked afterwards or not', () => {
    const revoked = withRevoked(granted(limited, ONE, { limits: { types: ['task'] } }), ONE, AT);
    assert.ok(!(revoked instanceof HubError));
    for (const table of [limited, revoked, withRegistered(revoked, record(TWO, { pending: true }))]) {
      const read = decodeClients('clients.json', encodeClients(table), AT);
      assert.equal(read.writtenBy, 'hub');
      assert.deepEqual(read.table.records, table.records);
    }
  });

  it('is proposed only where every node knows of it', () => {
    const grant = { kind: 'grant', clientId: ONE, access: { limits: { types: ['task'], all: true } } } as const;
    assert.equal(commandSince({ kind: 'register', record: record(ONE) }), 1);
    assert.equal(commandSince({ kind: 'register', record: record(ONE, { pending: true }) }), 2);
    assert.equal(commandSince(grant), 2);
    const commands = [grant, { kind: 'grant', clientId: ONE, access: { approve: true } }] as const;
    assert.deepEqual(decodeBatch(encodeBatch({ receivedAt: AT, commands })).commands, commands);
  });
});
