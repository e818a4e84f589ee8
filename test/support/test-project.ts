/** A project folder on disk with a connection, for tests of the client library without the CLI. */
import fs from 'node:fs';
import path from 'node:path';
import { writeConnection, type Connection } from '../../core/node/connection-file';
import { projectPaths, type ProjectPaths } from '../../core/node/project-directory';
import { tempDir } from './processes';

export interface TestProject {
  readonly dir: string;
  readonly paths: ProjectPaths;
  readonly env: Readonly<Record<string, string>>;
  readonly connect: (more?: Partial<Connection>) => Promise<void>;
}

export function makeProject(name = 'alpha'): TestProject {
  const home = tempDir('ctx-client');
  const dir = path.join(home, name);
  fs.mkdirSync(path.join(dir, '.context'), { recursive: true });
  const paths = projectPaths(dir);
  const env = { HOME: home, USERPROFILE: home };
  const connect = (more: Partial<Connection> = {}): Promise<void> =>
    writeConnection(paths, env, {
      hub_addr: 'ws://127.0.0.1:9',
      token: name,
      project: name,
      client: 'ada@laptop',
      hub_id: '11111111-1111-4111-8111-111111111111',
      ...more,
    });
  return { dir, paths, env, connect };
}
