/** How an operator's command reaches a hub: local control on its own machine, or an address with the admin token. */
import path from 'node:path';
import { HubError } from '../../core/errors';
import { requireFingerprint } from '../../core/fingerprint';
import { readSmallFile } from '../../core/node/small-file';
import type { ProgramIo } from '../../core/program';

export interface RemoteFlags {
  readonly addr?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly fingerprint?: string;
}

export const ADDR_FLAG = ['--addr <address>', 'a hub elsewhere: host, host:port, ws://… or wss://…'] as const;
export const TOKEN_FILE_FLAG = ['--token-file <file>', 'file with a token; - reads standard input'] as const;
export const CA_FLAG = ['--ca <file>', 'PEM file of the certificate authority to trust'] as const;
export const FINGERPRINT_FLAG = ['--fingerprint <hex>', 'SHA-256 fingerprint of the certificate to trust'] as const;

/** `--token-file`, else `$CTX_ADMIN_TOKEN`. Never from an argument: those are seen by every process of the machine (S35). */
export async function tokenFrom(io: ProgramIo, flags: RemoteFlags): Promise<string | undefined> {
  if (flags.tokenFile === '-') return (await io.readStdin()).trim();
  if (flags.tokenFile !== undefined) return readSmallFile(path.resolve(io.cwd, flags.tokenFile)).trim();
  const fromEnv = io.env['CTX_ADMIN_TOKEN']?.trim();
  return fromEnv === '' ? undefined : fromEnv;
}

export async function requireAdminToken(io: ProgramIo, flags: RemoteFlags): Promise<string> {
  const token = await tokenFrom(io, flags);
  if (token !== undefined) return token;
  throw new HubError('usage', 'The admin token is needed: give --token-file <file>, or set CTX_ADMIN_TOKEN.');
}

/** Trust in a TLS hub, as the session and HTTP clients take it. */
export function trustFrom(io: ProgramIo, flags: RemoteFlags): { readonly ca?: string; readonly fingerprint?: string } {
  return {
    ...(flags.ca === undefined ? {} : { ca: readSmallFile(path.resolve(io.cwd, flags.ca)) }),
    ...(flags.fingerprint === undefined ? {} : { fingerprint: requireFingerprint(flags.fingerprint) }),
  };
}
