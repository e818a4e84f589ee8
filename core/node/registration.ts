/**
 * Exchanges a hub's admin token for a token of the project's own and seals the connection. The admin token is not kept, and a
 * connection is stored only after it was used once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '../errors';
import { readConnection, tryWritingConnection, writeConnection, type Connection } from './connection-file';
import { ensureHubFolder, ensureIgnored } from './gitignore';
import { openSession, type HubSession } from './hub-session';
import type { ProjectPaths } from './project-directory';
import { setLedgerAside } from './share-ledger';

/** How the hub's certificate is trusted, where not by the system's authorities. */
export type Trust = Pick<Connection, 'ca' | 'fingerprint'>;

export interface Registration {
  /** In normal form, see `parseHubAddress`. */
  readonly address: string;
  readonly adminToken: string;
  readonly project: string;
  readonly client: string;
  readonly trust?: Trust;
  /** More addresses of the same hub, in normal form. */
  readonly peers?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface Registered {
  readonly connection: Connection;
  readonly clientId: string;
  /** It took the place of a registration that this project folder does not hold: the token of that one is dead now. */
  readonly replaced: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Opens, works, closes; the token shows in no message. */
async function withSession<T>(
  { address, trust, signal }: Registration,
  token: string,
  work: (session: HubSession) => Promise<T>,
): Promise<T> {
  const session = await openSession({ address, token, ...trust, signal });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

function withAdmin<T>(registration: Registration, work: (session: HubSession) => Promise<T>): Promise<T> {
  return withSession(registration, registration.adminToken, (session) => {
    if (session.hello.identity.kind === 'admin') return work(session);
    throw new HubError(
      'forbidden',
      "That is the token of a project, not the admin token of the hub, which the hub's operator has.",
    );
  });
}

/** Whether this client has registered that project at the hub: registering again would take its place. */
export function isRegistered(registration: Registration): Promise<boolean> {
  return withAdmin(registration, (session) => isKnown(registration, session));
}

async function isKnown({ project, client }: Registration, session: HubSession): Promise<boolean> {
  const clients = await session.clientList();
  return clients.some((each) => each.project === project && each.client === client && each.revoked_at === undefined);
}

/** How often, and how long at first, a token is tried that the hub has just given out. */
const TRIES = 5;
const FIRST_PAUSE_MS = 200;

/** A node of a cluster knows a token only when it has caught up with the leader, which may be a moment after it gave the token out. */
async function clusterSeenBy(registration: Registration, token: string): Promise<readonly string[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await withSession(registration, token, (session) => Promise.resolve(session.hello.cluster));
    } catch (error) {
      const mayLag = error instanceof HubError && error.code === 'unauthenticated';
      if (!mayLag || tries === TRIES) throw error;
      await delay(FIRST_PAUSE_MS * 2 ** (tries - 1), undefined, { signal: registration.signal });
    }
  }
}

/** @returns `undefined` also for one that cannot be read any more: it is replaced, not mourned */
export async function connectionBefore(paths: ProjectPaths, env: Env): Promise<Connection | undefined> {
  try {
    return await readConnection(paths, env);
  } catch (error) {
    if (error instanceof HubError && error.code === 'config') return undefined;
    throw error;
  }
}

/** What was subscribed stays subscribed. What is known to be shared belongs to one hub: with another one it is set aside. */
export async function register(paths: ProjectPaths, env: Env, registration: Registration): Promise<Registered> {
  const { address, project, client, trust, peers = [] } = registration;
  const before = await connectionBefore(paths, env);
  // Never to be committed, also where `ctx init` did not run.
  await ensureIgnored(paths.root);
  await ensureHubFolder(paths.hubDir);
  // The hub ends the token of this folder when it gives out the next, and keeps a client for each that it gave out: not before
  // it is certain that one can be kept here.
  if (before === undefined) await tryWritingConnection(paths, env);
  else await writeConnection(paths, env, before);
  const { token, hub, clientId, wasKnown } = await withAdmin(registration, async (session) => ({
    wasKnown: await isKnown(registration, session),
    ...(await session.register(project, client)),
  }));
  const wasOurs = before?.hub_id === hub && before.project === project && before.client === client;
  const cluster = await clusterSeenBy(registration, token);
  if (before !== undefined && before.hub_id !== hub) await setLedgerAside(paths, before.hub_id);
  const connection: Connection = {
    hub_addr: address,
    token,
    project,
    client,
    hub_id: hub,
    ...(before?.types === undefined ? {} : { types: before.types }),
    peers: [...new Set([...peers, ...cluster])].filter((peer) => peer !== address),
    ...trust,
  };
  await writeConnection(paths, env, connection);
  return { connection, clientId, replaced: wasKnown && !wasOurs };
}
