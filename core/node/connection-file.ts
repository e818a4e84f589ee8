/**
 * The project's connection to a hub, sealed in `.context/.connect.enc` with a key that never enters the project
 * (PROTOCOL.md, section "Connection file"). A file that this user's key does not open is of no use and does no harm.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { ENTRY_TYPES, isClientName, isProjectName } from '../entry';
import { HubError } from '../errors';
import { parseToken } from '../token';
import { writeFileAtomic } from './atomic-file';
import { ctxHome } from './ctx-home';
import { errnoOf, fileError } from './file-errors';
import { makePrivateDir, PRIVATE_FILE_MODE, syncDirectory } from './platform';
import { readPlainFile } from './plain-file';
import type { ProjectPaths } from './project-directory';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** A connection is some hundred bytes, a CA bundle some ten thousand. */
const MAX_FILE_BYTES = 1024 * 1024;
const TRIAL_BYTES = 4096;

const connectionSchema = z.object({
  hub_addr: z.string().min(1),
  token: z.string().min(1),
  project: z.string().refine(isProjectName),
  client: z.string().refine(isClientName),
  hub_id: z.string().min(1),
  /** Subscribed types; absent = all. */
  types: z.array(z.enum(ENTRY_TYPES)).optional(),
  /** More addresses of the same hub. */
  peers: z.array(z.string()).optional(),
  /** PEM of certificates to trust instead of the system's. */
  ca: z.string().optional(),
  /** SHA-256 of the hub's certificate, trusted instead of a chain. */
  fingerprint: z.string().optional(),
});

export type Connection = Readonly<z.infer<typeof connectionSchema>>;

type Env = Readonly<Record<string, string | undefined>>;

/** Public part of the token, by which the hub's operator names this client. */
export function clientIdOf({ token }: Pick<Connection, 'token'>): string {
  return parseToken(token)?.id ?? '<id>';
}

export function keyFile(env: Env): string {
  return path.join(ctxHome(env), '.ctx.key');
}

function again(file: string, why: string, cause?: unknown): HubError {
  const next = 'Register again: ctx connection register <address>.';
  return new HubError('config', `${file} cannot be used: ${why}. ${next}`, { cause });
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    const { size } = await fsp.stat(file);
    if (size > MAX_FILE_BYTES) throw again(file, 'it is far too large');
    return await fsp.readFile(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read', file);
  }
}

async function readKey(env: Env): Promise<Buffer | undefined> {
  const key = await readIfThere(keyFile(env));
  if (key !== undefined && key.length !== KEY_BYTES) throw again(keyFile(env), `a key has ${KEY_BYTES} bytes`);
  return key;
}

/** A key that is damaged opens nothing: it is kept under another name and a new one made. */
async function setAside(file: string): Promise<void> {
  await fsp.rename(file, `${file}.damaged`);
}

/** In one step and exclusively: of two first registrations at once, the second takes the first one's key. */
async function createKey(file: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await fsp.writeFile(temporary, randomBytes(KEY_BYTES), { flag: 'wx', mode: PRIVATE_FILE_MODE, flush: true });
    await fsp.link(temporary, file);
    await syncDirectory(path.dirname(file));
  } finally {
    await fsp.rm(temporary, { force: true });
  }
}

async function readOrMakeKey(env: Env): Promise<Buffer> {
  const file = keyFile(env);
  try {
    await makePrivateDir(path.dirname(file));
    const existing = await readIfThere(file);
    if (existing?.length === KEY_BYTES) return existing;
    if (existing !== undefined) await setAside(file);
    await createKey(file);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw fileError(error, 'write', file);
  }
  const key = await readKey(env);
  if (key === undefined) throw again(file, 'it disappeared');
  return key;
}

export function seal(plain: string, key: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** @returns `undefined` when the key is another one or a byte was changed */
export function unseal(sealed: Uint8Array, key: Uint8Array): string | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    const body = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
    return Buffer.concat([body, decipher.final()]).toString('utf8');
  } catch {
    return undefined; // What OpenSSL says of it helps nobody.
  }
}

/**
 * @returns `undefined` when the project is not connected
 * @throws HubError `config` when the file is there but cannot be used: key lost, foreign, damaged
 */
export async function readConnection(paths: ProjectPaths, env: Env): Promise<Connection | undefined> {
  const file = paths.connection;
  // The repository could have planted a link or a pipe here; the user's own key may be where they like.
  const sealed = (await readPlainFile(file))?.bytes;
  if (sealed === undefined) return undefined;
  if (sealed.length > MAX_FILE_BYTES) throw again(file, 'it is far too large');
  const key = await readKey(env);
  if (key === undefined) throw again(file, `its key ${keyFile(env)} is not on this machine`);
  const plain = unseal(sealed, key);
  if (plain === undefined) throw again(file, `it was made with another key than ${keyFile(env)}, or is damaged`);
  try {
    return connectionSchema.parse(JSON.parse(plain));
  } catch (error) {
    throw again(file, 'it was made by another version of ctx', error);
  }
}

/** @throws HubError `config`: not connected, or the file cannot be used */
export async function requireConnection(paths: ProjectPaths, env: Env): Promise<Connection> {
  const connection = await readConnection(paths, env);
  if (connection !== undefined) return connection;
  const next = 'Connect it: ctx connection register <address>.';
  throw new HubError('config', `The project in ${paths.root} is not connected to a hub. ${next}`);
}

export async function writeConnection(paths: ProjectPaths, env: Env, connection: Connection): Promise<void> {
  const key = await readOrMakeKey(env);
  const sealed = seal(JSON.stringify(connectionSchema.parse(connection)), key);
  await writeFileAtomic(paths.connection, sealed, { mode: PRIVATE_FILE_MODE, forceMode: true });
}

/** Fails where {@link writeConnection} would, and touches no connection that is there. */
export async function tryWritingConnection(paths: ProjectPaths, env: Env): Promise<void> {
  await readOrMakeKey(env);
  const trial = `${paths.connection}.trial`;
  await writeFileAtomic(trial, Buffer.alloc(TRIAL_BYTES), { mode: PRIVATE_FILE_MODE });
  await fsp.rm(trial, { force: true });
}

/** @returns whether there was one */
export async function deleteConnection(paths: ProjectPaths): Promise<boolean> {
  try {
    await fsp.unlink(paths.connection);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw fileError(error, 'delete', paths.connection);
  }
}
