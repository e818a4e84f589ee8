import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { HubError } from '../../../../core/errors';
import {
  deleteConnection,
  keyFile,
  readConnection,
  requireConnection,
  seal,
  unseal,
} from '../../../../core/node/connection-file';
import { isWindows } from '../../../../core/node/platform';
import { removeTempDirs } from '../../../support/processes';
import { makeProject } from '../../../support/test-project';

const isAgain = (error: HubError): boolean => error.code === 'config' && error.message.includes('Register again');

describe('connection file', () => {
  after(removeTempDirs);

  it('is read back by the same user, in the documented form, private', async () => {
    const { paths, env, connect } = makeProject();
    assert.equal(await readConnection(paths, env), undefined);
    await connect({ types: ['task'], peers: ['ws://b:1'] });
    const connection = await requireConnection(paths, env);
    assert.deepEqual([connection.project, connection.types, connection.peers], ['alpha', ['task'], ['ws://b:1']]);
    const sealed = fs.readFileSync(paths.connection);
    const decipher = createDecipheriv('aes-256-gcm', fs.readFileSync(keyFile(env)), sealed.subarray(0, 12));
    decipher.setAuthTag(sealed.subarray(-16));
    assert.deepEqual(JSON.parse(decipher.update(sealed.subarray(12, -16)).toString()), connection);
    assert.ok(!sealed.includes(Buffer.from('alpha')), 'nothing readable');
    if (isWindows) return;
    for (const file of [paths.connection, keyFile(env)]) assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.equal(fs.statSync(path.dirname(keyFile(env))).mode & 0o777, 0o700);
  });

  it('a lost key, a foreign file and a damaged byte all say "register again"', async () => {
    const [mine, theirs] = [makeProject(), makeProject()];
    await mine.connect();
    await theirs.connect();
    fs.copyFileSync(theirs.paths.connection, mine.paths.connection);
    await assert.rejects(readConnection(mine.paths, mine.env), isAgain);
    await mine.connect();
    const sealed = fs.readFileSync(mine.paths.connection);
    for (const at of [0, 12, sealed.length - 1]) {
      const damaged = Buffer.from(sealed);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      fs.writeFileSync(mine.paths.connection, damaged);
      await assert.rejects(readConnection(mine.paths, mine.env), isAgain);
    }
    for (const content of ['', 'x', '{"hub_addr":"x"}']) {
      fs.writeFileSync(mine.paths.connection, content);
      await assert.rejects(readConnection(mine.paths, mine.env), isAgain);
    }
    fs.writeFileSync(mine.paths.connection, sealed);
    fs.rmSync(keyFile(mine.env));
    await assert.rejects(readConnection(mine.paths, mine.env), isAgain);
    fs.writeFileSync(keyFile(mine.env), 'short');
    await assert.rejects(readConnection(mine.paths, mine.env), isAgain);
    await mine.connect();
    assert.equal((await requireConnection(mine.paths, mine.env)).project, 'alpha');
    assert.ok(fs.existsSync(`${keyFile(mine.env)}.damaged`), 'a damaged key is kept aside');
  });

  it('a link or a folder in its place is refused, not followed', async function () {
    if (isWindows) this.skip(); // Links need a right there that users do not have.
    const { paths, env, connect } = makeProject();
    await connect();
    const elsewhere = path.join(path.dirname(paths.root), 'elsewhere');
    fs.renameSync(paths.connection, elsewhere);
    fs.symlinkSync(elsewhere, paths.connection);
    await assert.rejects(readConnection(paths, env), { code: 'cannot_create', message: /symbolic link/ });
    fs.unlinkSync(paths.connection);
    fs.mkdirSync(paths.connection);
    await assert.rejects(readConnection(paths, env), { code: 'cannot_create' });
  });

  it('many first registrations at once agree on one key', async () => {
    const { paths, env, connect } = makeProject();
    await Promise.all(Array.from({ length: 8 }, () => connect()));
    assert.equal((await requireConnection(paths, env)).project, 'alpha');
  });

  it('opens with the right key only, whatever the bytes', () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), key, key, fc.uint8Array(), (text, right, other, junk) => {
        const sealed = seal(text, right);
        assert.equal(unseal(sealed, right), text);
        if (Buffer.compare(right, other) !== 0) assert.equal(unseal(sealed, other), undefined);
        assert.equal(unseal(junk, right), undefined);
      }),
    );
  });

  it('is deleted once', async () => {
    const { paths, connect } = makeProject();
    await connect();
    assert.deepEqual([await deleteConnection(paths), await deleteConnection(paths)], [true, false]);
  });
});
