/** S12, FM-44, I12: a token reads only the types and origins that it is granted, whatever it asks for; a change counts at once. */
import assert from 'node:assert/strict';
import { ENTRY_TYPES } from '../../core/entry';
import { changeAccess, closeCode, idsIn, listedClients, listening, pushedIds, readable } from '../support/access';
import { hubCommand, publishEach } from '../support/hub-log';
import { registerClient, startHub, type HubProcess, type RegisteredClient } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';
import { rawSession } from '../support/raw-session';
import { shared } from '../support/shared-entry';

const PROJECTS = ['alpha', 'beta', 'gamma'] as const;

describe('S12: reads are limited to what is granted', function () {
  this.timeout(120_000);
  let hub: HubProcess;
  let reader: RegisteredClient;
  const writers = new Map<string, string>();
  let round = 0;

  /** One entry of every type by every project; each says in its text that it is of another. */
  const publishRound = async (): Promise<void> => {
    round++;
    for (const [project, token] of writers) {
      const content = 'Title\n\n","origin":"beta","client":"x';
      await publishEach(
        hub,
        token,
        ENTRY_TYPES.map((type) => shared(`${project}.${type}.${round}`, { type, content })),
      );
    }
  };
  const wanted = (fits: (project: string, type: string) => boolean): readonly string[] =>
    Array.from({ length: round }, (_, before) => before + 1).flatMap((each) =>
      PROJECTS.flatMap((project) =>
        ENTRY_TYPES.filter((type) => fits(project, type)).map((type) => `${project}.${type}.${each}`),
      ),
    );
  /** Replay, what comes live, and pages: all three bring exactly this. */
  const readsOnly = async (fits: (project: string, type: string) => boolean): Promise<void> => {
    const listener = await listening(hub.address, reader.token);
    await publishRound();
    assert.deepEqual(await readable(hub.address, reader.token), wanted(fits));
    await listener.next(() => pushedIds(listener).length >= wanted(fits).length);
    assert.deepEqual(pushedIds(listener), wanted(fits));
    listener.ws.terminate();
  };

  before(async () => {
    hub = await startHub();
    for (const project of PROJECTS) writers.set(project, (await registerClient(hub, project, 'writer@here')).token);
    reader = await registerClient(hub, 'gamma', 'reader@here');
    await publishRound();
  });
  after(async () => {
    await hub.stop();
    removeTempDirs();
  });

  const grant = (...args: readonly string[]): Promise<string> => changeAccess(hub, 'grant', reader.clientId, ...args);

  it('without limits everything', () => readsOnly(() => true));

  it('types: others come neither by replay nor live nor by pages, also when they are asked for', async () => {
    await grant('--types', 'decision,task');
    await readsOnly((_project, type) => type === 'decision' || type === 'task');
    const session = await rawSession(hub.address, reader.token);
    const asked = await session.ask({ kind: 'sync', request: 1, types: ['learning', 'task'] });
    assert.deepEqual(
      idsIn(asked),
      wanted((_project, type) => type === 'task'),
    );
    const nothing = await session.ask({ kind: 'sync', request: 2, types: ['learning'] });
    assert.deepEqual(idsIn(nothing), []);
    assert.deepEqual((nothing['cursor'] as { sequence: number }).sequence, round * 12, 'the cursor moves on');
    session.ws.terminate();
  });

  it('origins: of others only what is granted, own entries in any case', async () => {
    await grant('--all', '--origins', 'alpha');
    await readsOnly((project) => project === 'alpha' || project === 'gamma');
  });

  it('both at once; the list shows it, and a restart forgets nothing', async () => {
    const said = await grant('--types', 'convention', '--origins', 'beta', '--json');
    const access = { types: ['convention'], origins: ['beta'] };
    assert.deepEqual(JSON.parse(said), { schemaVersion: 1, kind: 'client_access', client_id: reader.clientId, access });
    const fits = (project: string, type: string): boolean => type === 'convention' && project !== 'alpha';
    await readsOnly(fits);
    await hub.stop();
    hub = await startHub({ dataDir: hub.dataDir });
    await readsOnly(fits);
    const table = await hubCommand(hub.dataDir, 'client', 'list');
    assert.match(table.stdout, /reader@here .*active \(types: convention; origins: beta\)/);
    const listed = (await listedClients(hub)).find(({ client_id }) => client_id === reader.clientId);
    assert.deepEqual(listed?.access, access);
  });

  it('a change ends open listeners at once with "going away", so that they come back limited; others stay', async () => {
    await grant('--all');
    const listener = await listening(hub.address, reader.token);
    const other = await listening(hub.address, writers.get('alpha') ?? '');
    await grant('--origins', 'alpha');
    assert.equal(await closeCode(listener), 1001);
    await publishRound();
    await other.next(() => pushedIds(other).includes(`gamma.task.${round}`));
    other.ws.terminate();
    assert.ok(!pushedIds(listener).some((id) => id.endsWith(`.${round}`)), 'nothing came after the change');
    await readsOnly((project) => project !== 'beta');
  });

  it('registering again keeps the limits, and a revoked client is granted nothing', async () => {
    await grant('--all', '--types', 'task');
    reader = await registerClient(hub, 'gamma', 'reader@here');
    await readsOnly((_project, type) => type === 'task');
    await changeAccess(hub, 'revoke', reader.clientId);
    const refused = await hubCommand(hub.dataDir, 'client', 'grant', reader.clientId, '--all');
    assert.equal(refused.code, 65, refused.stderr);
  });

  it('what is no type, no project or says nothing is refused', async () => {
    for (const args of [['--types', 'decisions'], ['--origins', 'a,,b'], []]) {
      const { code } = await hubCommand(hub.dataDir, 'client', 'grant', reader.clientId, ...args);
      assert.equal(code, 64, args.join(' '));
    }
  });
});
