/** S10, S11, FM-43: what each token may do, tried on the wire; and whose name an entry carries. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';
import { rawSession, type Message } from '../support/raw-session';
import { shared } from '../support/shared-entry';

const REQUESTS: readonly (readonly [Message, 'admin' | 'client' | 'both'])[] = [
  [{ kind: 'publish', entries: [shared('role-1')] }, 'client'],
  [{ kind: 'listen' }, 'client'],
  [{ kind: 'sync' }, 'client'],
  [{ kind: 'status' }, 'both'],
  [{ kind: 'register', project: 'beta', client: 'bob@desk' }, 'admin'],
  [{ kind: 'client_list' }, 'admin'],
  [{ kind: 'client_revoke', client_id: 'f'.repeat(16) }, 'admin'],
];

const codeOf = (answer: Message): string | undefined => (answer['error'] as { code?: string } | undefined)?.code;

describe('S10, S11: roles and attribution', () => {
  let hub: HubProcess;
  let client: string;

  before(async () => {
    hub = await startHub();
    ({ token: client } = await registerClient(hub, 'alpha', 'ada@laptop'));
  });
  after(async () => {
    await hub.stop();
    removeTempDirs();
  });

  for (const role of ['admin', 'client'] as const) {
    for (const [request, who] of REQUESTS) {
      const allowed = who === 'both' || who === role;
      it(`${role} ${allowed ? 'may' : 'may not'} ${String(request['kind'])}`, async () => {
        const session = await rawSession(hub.address, role === 'admin' ? hub.adminToken : client);
        const answer = await session.ask({ ...request, request: 1 });
        if (allowed) assert.notEqual(codeOf(answer), 'forbidden');
        else assert.equal(codeOf(answer), 'forbidden');
        // A refusal ends nothing.
        assert.equal((await session.ask({ kind: 'status', request: 2 }))['kind'], 'status');
        session.ws.terminate();
      });
    }
  }

  it('an entry carries the project and client of the token; a claim of another project is refused, nothing stored', async () => {
    const session = await rawSession(hub.address, client);
    const answer = await session.ask({
      kind: 'publish',
      request: 1,
      entries: [shared('own'), shared('forged', { origin: 'beta' }), shared('named', { origin: 'alpha' })],
    });
    const results = answer['results'] as readonly { id: string; sequence?: number; error?: { code: string } }[];
    assert.deepEqual(
      results.map((result) => [result.id, result.error?.code]),
      [
        ['own', undefined],
        ['forged', 'origin_mismatch'],
        ['named', undefined],
      ],
    );
    const log = fs.readFileSync(path.join(hub.dataDir, 'entries.jsonl'), 'utf8');
    assert.ok(!log.includes('"forged"'));
    for (const line of log.trim().split('\n')) {
      const entry = JSON.parse(line) as { origin: string; client: string };
      assert.deepEqual([entry.origin, entry.client], ['alpha', 'ada@laptop']);
    }
    const members = [{ client: 'eve@evil' }, { received_at: 'x' }, { sequence: 7 }, { digest: 'x' }];
    for (const [index, member] of members.entries()) {
      const forged = { ...shared('member'), ...member };
      assert.equal(codeOf(await session.ask({ kind: 'publish', request: 2 + index, entries: [forged] })), 'invalid');
    }
    session.ws.terminate();
  });
});
