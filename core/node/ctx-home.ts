/** The user folder: keys, the local hub's data, and what else belongs to a person and not to a project. */
import os from 'node:os';
import path from 'node:path';

/** `$CTX_HOME`, else `.ctx` in the user's home folder. */
export function ctxHome(env: Readonly<Record<string, string | undefined>>): string {
  const own = env['CTX_HOME'];
  if (own !== undefined && own !== '') return path.resolve(own);
  return path.join(userHome(env), '.ctx');
}

/** The user's home folder as the environment says it, so that a test or a service can have its own. */
export function userHome(env: Readonly<Record<string, string | undefined>>): string {
  const named = process.platform === 'win32' ? env['USERPROFILE'] : env['HOME'];
  return named !== undefined && named !== '' ? named : os.homedir();
}
