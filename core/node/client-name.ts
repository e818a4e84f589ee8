/** How this person on this machine is called among a project's clients: `<user>@<host>` in the allowed letters. */
import os from 'node:os';
import { isClientName } from '../entry';

const FALLBACK = 'client';

function userName(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['USER'] ?? env['USERNAME'];
  if (named !== undefined && named !== '') return named;
  try {
    return os.userInfo().username;
  } catch {
    return FALLBACK; // A container may run under a user id that has no name.
  }
}

const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 60);

export function defaultClientName(env: Readonly<Record<string, string | undefined>>, host = os.hostname()): string {
  const parts = [plain(userName(env)), plain(host.split('.')[0] ?? '')].filter((part) => part !== '');
  const name = parts.join('@');
  return isClientName(name) ? name : FALLBACK;
}
