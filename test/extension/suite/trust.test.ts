/** Whose connection file it is: one that is not this user's, or came with the repository, is never used silently (S34). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { requireConnection, writeConnection } from '../../../core/node/connection-file';
import { until } from '../../support/processes';
import { connectBoth, isLive, project, run, statusOf } from './host';

const reasonOf = async (): Promise<string | undefined> => {
  const { status } = await statusOf('beta');
  return status.kind === 'foreign' ? status.reason : undefined;
};

describe('connection files of others (S34)', () => {
  before(connectBoth);

  it('one that this user’s key does not open is left alone, and said', async () => {
    const { connection } = project('beta');
    const own = fs.readFileSync(connection);
    const foreign = randomBytes(own.length);
    fs.writeFileSync(connection, foreign);
    const reason = await until('it is noticed', reasonOf);
    assert.match(reason, /made with another key/);
    assert.deepEqual(fs.readFileSync(connection), foreign);
    fs.writeFileSync(connection, own);
    await until('beta is live again', () => isLive('beta'), 20_000);
  });

  it('one that git tracks is used only after this user has said so', async () => {
    const paths = project('beta');
    const git = (...args: string[]): unknown => execFileSync('git', args, { cwd: paths.root, stdio: 'pipe' });
    git('init', '-q');
    git('add', '-f', '.context/.connect.enc');
    await run('refreshFeed');
    assert.equal(await isLive('beta'), true, 'the very bytes that this user made are known');
    // The same connection sealed anew: as it would come with a pull.
    await writeConnection(paths, process.env, await requireConnection(paths, process.env));
    assert.match(await until('it is noticed', reasonOf), /tracked by git/);
    git('rm', '-qf', '--cached', '.context/.connect.enc');
    await run('refreshFeed');
    await until('beta is live again', () => isLive('beta'), 20_000);
  });
});
