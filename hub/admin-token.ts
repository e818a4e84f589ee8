/** `admin.token` (FM-40): made when it is not there, kept in clear for the operator alone; the hub itself needs its digest. */
import fs from 'node:fs';
import path from 'node:path';
import { HubError } from '../core/errors';
import { writeFileAtomic } from '../core/node/atomic-file';
import { errnoOf, fileError } from '../core/node/file-errors';
import { PRIVATE_FILE_MODE } from '../core/node/platform';
import { parseToken } from '../core/token';
import type { KeptToken } from './server/authenticator';
import { digestOf, mintToken } from './server/secrets';

export interface AdminToken {
  readonly kept: KeptToken;
  /** The token itself when it was made just now, to be shown once. */
  readonly made: string | undefined;
}

export const adminTokenPath = (dataDir: string): string => path.join(dataDir, 'admin.token');

export async function makeAdminToken(dataDir: string): Promise<AdminToken> {
  const { id, digest, text } = mintToken('adm');
  await writeFileAtomic(adminTokenPath(dataDir), `${text()}\n`, { mode: PRIVATE_FILE_MODE, forceMode: true });
  return { kept: { id, digest }, made: text() };
}

/** @throws HubError `config` when the file holds something else: it is never overwritten */
export async function openAdminToken(dataDir: string): Promise<AdminToken> {
  const file = adminTokenPath(dataDir);
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return makeAdminToken(dataDir);
    throw fileError(error, 'read', file);
  }
  const token = parseToken(text.trim());
  if (token?.kind !== 'adm') {
    throw new HubError('config', `${file} does not hold an admin token. Remove it: the next start makes a new one.`);
  }
  return { kept: { id: token.id, digest: digestOf(token.secret) }, made: undefined };
}
