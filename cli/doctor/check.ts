/** What `ctx doctor` finds: one result per thing looked at, in the order in which things depend on each other. */

import { HubError } from '../../core/errors';
import { shown } from '../output';

export const CHECK_NAMES = [
  'version',
  'permissions',
  'key file',
  'disk',
  'project',
  'context files',
  '.gitignore',
  'connection',
  'address',
  'dns',
  'tcp',
  'tls',
  'http',
  'auth',
  'protocol',
  'role',
  'history',
  'clock',
  'outbox',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export interface Check {
  readonly name: CheckName;
  /** `warning` = works, but not for long or not as meant; `skipped` = nothing to look at, or something before it failed. */
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
  /** What to do about it: one sentence. */
  readonly next?: string | undefined;
  /** Exit code of a failure. */
  readonly exit?: number | undefined;
}

export const ok = (name: CheckName, message: string): Check => ({ name, status: 'ok', message });
export const skipped = (name: CheckName, message: string): Check => ({ name, status: 'skipped', message });
export const warning = (name: CheckName, message: string, next: string): Check => ({
  ...{ name, status: 'warning', message, next },
});
export const failed = (name: CheckName, message: string, next: string, exit: number): Check => ({
  ...{ name, status: 'failed', message, next, exit },
});

/** What cannot be looked at has failed, and its error says why. */
export async function looked(name: CheckName, look: () => Promise<Check>): Promise<Check> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return failed(name, shown(error.message), 'Repair that file, then look again.', error.facts.exit);
  }
}
