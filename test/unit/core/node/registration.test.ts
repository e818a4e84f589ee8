/** Registering a project at a real hub: what is stored, what is kept from before, and whose token will do. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { v7 as uuid } from 'uuid';
import { requireConnection, writeConnection } from '../../../../core/node/connection-file';
import { openSession } from '../../../../core/node/hub-session';
import { projectPaths, type ProjectPaths } from '../../../../core/node/project-directory';
import { isRegistered, register, type Registration } from '../../../../core/node/registration';
import { shareEntry } from '../../../../core/node/share';
import { readLedger } from '../../../../core/node/share-ledger';
import { registerClient, startHub, type HubProcess } from '../../../support/hub-process';
import { removeTempDirs, tempDir } from '../../../support/processes';

describe('registration', function () {
  this.timeout(60_000);
  let hub: HubProcess;
  let other: HubProcess;
  let paths: ProjectPaths;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    [hub, other] = await Promise.all([startHub(), startHub()]);
  });
  beforeEach(() => {
    const dir = tempDir('ctx-registration');
    env = { CTX_HOME: path.join(dir, 'home') };
    paths = projectPaths(path.join(dir, 'alpha'));
    fs.mkdirSync(paths.contextDir, { recursive: true });
  });
  after(async () => {
    await Promise.all([hub.stop(), other.stop()]);
    removeTempDirs();
  });

  const at = ({ address, adminToken }: HubProcess): Registration => ({
    ...{ address, adminToken, project: 'alpha', client: 'ada@laptop' },
  });

  it('stores a token of the project’s own, never the admin token, and keeps it out of git', async () => {
    await register(paths, env, at(hub));
    const stored = await requireConnection(paths, env);
    assert.match(stored.token, /^ctx_cli_/);
    assert.equal(stored.hub_addr, hub.address);
    assert.match(fs.readFileSync(path.join(paths.root, '.gitignore'), 'utf8'), /^\.context\/\.connect\.enc$/m);
  });

  it('knows who is registered already', async () => {
    const mine = { ...at(hub), project: 'known-or-not' };
    assert.equal(await isRegistered(mine), false);
    await register(paths, env, mine);
    assert.equal(await isRegistered(mine), true);
    assert.equal(await isRegistered({ ...mine, client: 'bob@laptop' }), false);
  });

  it('where the new token could not be kept, the old one goes on', async () => {
    await register(paths, env, at(hub));
    const { token, hub_addr } = await requireConnection(paths, env);
    fs.chmodSync(paths.connection, 0o400);
    await assert.rejects(register(paths, env, at(hub)), { code: 'cannot_create', message: /read-only/ });
    await (await openSession({ address: hub_addr, token })).close();
    fs.chmodSync(paths.connection, 0o600);
    await register(paths, env, at(hub));
    await assert.rejects(openSession({ address: hub_addr, token }), { code: 'unauthenticated' });
  });

  const obstacles: readonly [string, () => void][] = [
    ['the key', () => fs.writeFileSync(path.join(path.dirname(paths.root), 'home'), 'a file')],
    ['the mirror', () => fs.writeFileSync(paths.hubDir, 'a file')],
    ['.gitignore', () => fs.mkdirSync(path.join(paths.root, '.gitignore'))],
  ];
  for (const [what, obstruct] of obstacles) {
    it(`where ${what} cannot be kept, the hub gives out no token that nobody has`, async () => {
      obstruct();
      const mine = { ...at(hub), project: 'orphan' };
      await assert.rejects(register(paths, env, mine), { code: 'cannot_create' });
      assert.equal(await isRegistered(mine), false);
      assert.equal(fs.existsSync(paths.connection), false);
    });
  }

  it('leaves nothing behind where the hub refuses', async () => {
    await assert.rejects(register(paths, env, { ...at(hub), adminToken: other.adminToken }), {
      code: 'unauthenticated',
    });
    assert.deepEqual(fs.readdirSync(paths.contextDir), ['hub']);
  });

  it('keeps what was subscribed', async () => {
    await register(paths, env, at(hub));
    await writeConnection(paths, env, { ...(await requireConnection(paths, env)), types: ['task'] });
    await register(paths, env, at(other));
    const { types, hub_addr } = await requireConnection(paths, env);
    assert.deepEqual(types, ['task']);
    assert.equal(hub_addr, other.address);
  });

  it('what is known to be shared stays with its hub: to another one everything is new', async () => {
    await register(paths, env, at(hub));
    const id = uuid();
    const entry = { id, type: 'task', content: 'Shared with the first', timestamp: new Date().toISOString() } as const;
    assert.equal((await shareEntry(paths.root, entry, { env })).kind, 'shared');
    await register(paths, env, at(hub));
    assert.equal((await readLedger(paths)).has(id), true, 'registering again forgets nothing');
    await register(paths, env, at(other));
    assert.equal((await readLedger(paths)).has(id), false);
  });

  it('takes no project’s token for the admin token, and says which one is meant', async () => {
    const { token } = await registerClient(hub, 'beta');
    await assert.rejects(register(paths, env, { ...at(hub), adminToken: token }), /not the admin token/);
    assert.equal(fs.existsSync(paths.connection), false);
  });
});
