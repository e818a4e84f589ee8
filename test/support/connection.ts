/** A look into, and a change of, the sealed connection of a project that the command line has made. */
import { readConnection, writeConnection, type Connection } from '../../core/node/connection-file';
import { projectPaths } from '../../core/node/project-directory';
import type { CliProject } from './projects';

export async function connectionOf(project: CliProject): Promise<Connection> {
  const connection = await readConnection(projectPaths(project.dir), project.env);
  if (connection === undefined) throw new Error(`${project.dir} is not connected`);
  return connection;
}

export async function changeConnection(project: CliProject, more: Partial<Connection>): Promise<void> {
  await writeConnection(projectPaths(project.dir), project.env, { ...(await connectionOf(project)), ...more });
}

/** Connects a project that never registered, such as to a hub that is none. */
export function makeConnection(project: CliProject, more: Partial<Connection>): Promise<void> {
  return writeConnection(projectPaths(project.dir), project.env, {
    hub_addr: 'ws://127.0.0.1:9',
    token: 'alpha',
    project: 'alpha',
    client: 'ada@laptop',
    hub_id: '11111111-1111-4111-8111-111111111111',
    ...more,
  });
}
