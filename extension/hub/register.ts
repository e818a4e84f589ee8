/** Exchanges an admin token for a token of the project's own, and seals the connection. The admin token is not kept. */
import { ENTRY_TYPES, type EntryType } from '../../core/entry';
import { HubError } from '../../core/errors';
import { readConnection, writeConnection, type Connection } from '../../core/node/connection-file';
import { ensureIgnored } from '../../core/node/gitignore';
import { openSession, type HubSession } from '../../core/node/hub-session';
import type { ProjectPaths } from '../../core/node/project-directory';

export interface Registration {
  readonly address: string;
  readonly adminToken: string;
  readonly project: string;
  readonly client: string;
}

type Env = Readonly<Record<string, string | undefined>>;

async function withAdmin<T>(address: string, adminToken: string, use: (session: HubSession) => Promise<T>): Promise<T> {
  const session = await openSession({ address, token: adminToken });
  try {
    if (session.hello.identity.kind === 'admin') return await use(session);
    throw new HubError(
      'forbidden',
      'That is the token of a project, not the admin token. The operator of the hub has it.',
    );
  } finally {
    await session.close();
  }
}

/** Whether this client has registered that project before: registering again would take its place. */
export function isTaken(registration: Registration): Promise<boolean> {
  const { address, adminToken, project, client } = registration;
  return withAdmin(address, adminToken, async (session) => {
    const clients = await session.clientList();
    return clients.some((each) => each.project === project && each.client === client && each.revoked_at === undefined);
  });
}

/** What is subscribed stays subscribed; a new connection gets every type. */
async function typesBefore(paths: ProjectPaths, env: Env): Promise<readonly EntryType[]> {
  try {
    return (await readConnection(paths, env))?.types ?? ENTRY_TYPES;
  } catch (error) {
    if (error instanceof HubError) return ENTRY_TYPES; // It is replaced because it cannot be read.
    throw error;
  }
}

export async function register(paths: ProjectPaths, env: Env, registration: Registration): Promise<Connection> {
  const { address, adminToken, project, client } = registration;
  const types = await typesBefore(paths, env);
  const { token, hub } = await withAdmin(address, adminToken, (session) => session.register(project, client));
  const connection = { hub_addr: address, token, project, client, hub_id: hub, types: [...types] };
  // Never to be committed, also where `Initialize .context` did not run.
  await ensureIgnored(paths.root);
  await writeConnection(paths, env, connection);
  return connection;
}
