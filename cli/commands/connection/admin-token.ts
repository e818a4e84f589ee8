/** Where `register` takes the admin token from: used once, kept nowhere. It never needs to be in an argument (S35). */
import path from 'node:path';
import { HubError } from '../../../core/errors';
import { promptSecret } from '../../../core/node/prompt';
import { readSmallFile } from '../../../core/node/small-file';
import type { ProgramIo } from '../../../core/program';
import { requireToken } from '../../../core/token';

export interface TokenSource {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** The argument `-`. */
  readonly fromStdin: boolean;
  /** False with `--no-input`. */
  readonly input: boolean;
}

async function findToken(io: ProgramIo, source: TokenSource): Promise<{ text: string; what: string } | undefined> {
  const { token, tokenFile, fromStdin } = source;
  if (token !== undefined) return { text: token, what: 'The value of --token' };
  if (fromStdin || tokenFile === '-') return { text: await io.readStdin(), what: 'What standard input gave' };
  if (tokenFile !== undefined)
    return { text: readSmallFile(path.resolve(io.cwd, tokenFile)), what: `What ${tokenFile} holds` };
  const fromEnv = io.env['CTX_ADMIN_TOKEN'] ?? '';
  if (fromEnv !== '') return { text: fromEnv, what: 'The value of CTX_ADMIN_TOKEN' };
  if (!io.stdinIsTty || !source.input) return undefined;
  return { text: await promptSecret('Admin token of the hub: ', io.signal), what: 'What was entered' };
}

/** @throws HubError `usage`: none given, mistyped, or of another kind */
export async function adminToken(io: ProgramIo, source: TokenSource): Promise<string> {
  const found = await findToken(io, source);
  if (found === undefined) {
    const ways = '--token-file <file>, "-" to read it from standard input, or CTX_ADMIN_TOKEN in the environment';
    const where = 'The hub printed it at its first start and keeps it in admin.token in its data directory.';
    throw new HubError('usage', `The hub's admin token is needed: ${ways}. ${where}`);
  }
  requireToken(found.text, 'adm', found.what);
  return found.text.trim();
}
