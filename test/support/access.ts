/** What a token may read, as tests see it: on the wire, and by the operator's commands. */
import assert from 'node:assert/strict';
import type { ClientAccess } from '../../core/access';
import { hubCommand } from './hub-log';
import type { HubProcess } from './hub-process';
import { until } from './processes';
import { rawSession, type Message, type RawSession } from './raw-session';
import { succeeded } from './projects';

export interface ListedClient {
  readonly client_id: string;
  readonly project: string;
  readonly client: string;
  readonly access?: ClientAccess;
}

type Folder = Pick<HubProcess, 'dataDir'>;

/** `ctx hub client approve|grant`, on the hub's machine. */
export async function changeAccess({ dataDir }: Folder, ...args: readonly string[]): Promise<string> {
  return succeeded(await hubCommand(dataDir, 'client', ...args)).stdout;
}

export async function listedClients({ dataDir }: Folder): Promise<readonly ListedClient[]> {
  const { stdout } = succeeded(await hubCommand(dataDir, 'client', 'list', '--json'));
  return (JSON.parse(stdout) as { clients: readonly ListedClient[] }).clients;
}

export const errorOf = (answer: Message): { readonly code?: string; readonly message?: string } =>
  (answer['error'] as { code?: string; message?: string } | undefined) ?? {};

export const idsIn = (message: Message): readonly string[] =>
  (message['entries'] as readonly { id: string }[]).map(({ id }) => id);

/** Ids of everything that a `sync` of this token brings. */
export async function readable(address: string, token: string): Promise<readonly string[]> {
  const session = await rawSession(address, token);
  try {
    const page = await session.ask({ kind: 'sync', request: 1 });
    assert.equal(page['kind'], 'page', JSON.stringify(page));
    return idsIn(page);
  } finally {
    session.ws.terminate();
  }
}

/** A session that listens from the start. */
export async function listening(address: string, token: string): Promise<RawSession> {
  const session = await rawSession(address, token);
  assert.equal((await session.ask({ kind: 'listen', request: 1 }))['kind'], 'listening');
  return session;
}

/** How the hub closed a session, which it has to do. */
export async function closeCode(session: RawSession): Promise<number> {
  let code: number | undefined;
  void session.closed.then((closed) => (code = closed.code));
  return until('the session is closed', () => code, 20_000);
}

/** Ids that a listening session was sent. */
export const pushedIds = ({ messages }: RawSession): readonly string[] =>
  messages.filter(({ kind }) => kind === 'entries').flatMap(idsIn);
