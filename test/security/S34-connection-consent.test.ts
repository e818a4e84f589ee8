/** S34: a connection file that came with a repository is not used until this user has accepted exactly its bytes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { projectPaths, type ProjectPaths } from '../../core/node/project-directory';
import { ConnectionConsent, type Memory } from '../../extension/project/consent';
import { removeTempDirs, tempDir } from '../support/processes';

function memory(): Memory {
  const values = new Map<string, unknown>();
  return {
    get: (key) => values.get(key),
    update: (key, value) => Promise.resolve(void values.set(key, value)),
  };
}

function project(tracked: boolean): ProjectPaths {
  const root = tempDir('ctx-consent');
  const paths = projectPaths(root);
  fs.mkdirSync(paths.contextDir);
  fs.writeFileSync(paths.connection, 'sealed');
  execFileSync('git', ['init', '-q'], { cwd: root });
  if (tracked) execFileSync('git', ['add', '-f', '.context/.connect.enc'], { cwd: root });
  return paths;
}

describe('S34 connection files', () => {
  after(removeTempDirs);

  it('one that git does not track is this user’s own', async () => {
    assert.equal(await new ConnectionConsent(memory()).obstacle(project(false)), undefined);
  });

  it('one outside any repository is too', async () => {
    const paths = projectPaths(tempDir('ctx-consent'));
    fs.mkdirSync(paths.contextDir);
    fs.writeFileSync(paths.connection, 'sealed');
    assert.equal(await new ConnectionConsent(memory()).obstacle(paths), undefined);
  });

  it('one that git tracks is held back until accepted, and again when it changes', async () => {
    const paths = project(true);
    const consent = new ConnectionConsent(memory());
    assert.match((await consent.obstacle(paths)) ?? '', /came with the repository/);
    await consent.give(paths);
    assert.equal(await consent.obstacle(paths), undefined);
    fs.writeFileSync(paths.connection, 'redirected');
    assert.match((await consent.obstacle(paths)) ?? '', /came with the repository/);
  });

  it('consent for one project is none for a copy of it', async () => {
    const consent = new ConnectionConsent(memory());
    await consent.give(project(true));
    assert.match((await consent.obstacle(project(true))) ?? '', /came with the repository/);
  });

  it('the repository cannot make the look at it run a program', async () => {
    const paths = project(true);
    const trap = path.join(paths.root, 'ran');
    execFileSync('git', ['config', 'core.fsmonitor', `touch ${trap}`], { cwd: paths.root });
    await new ConnectionConsent(memory()).obstacle(paths);
    assert.equal(fs.existsSync(trap), false);
  });
});
