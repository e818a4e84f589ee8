/**
 * `audit.jsonl`: who was let in, kept out, registered and revoked (S32). One JSON object a line; never a token, never
 * content.
 */
import fs from 'node:fs';
import path from 'node:path';
import { NO_FOLLOW, PRIVATE_FILE_MODE } from '../core/node/platform';

export type AuditEvent =
  | 'hub_start'
  | 'hub_stop'
  | 'auth_failed'
  | 'auth_failures_suppressed'
  | 'web_refused'
  | 'forbidden'
  | 'register'
  | 'approve'
  | 'grant'
  | 'revoke'
  | 'admin_token_made'
  | 'cluster';

export type AuditFacts = Readonly<Record<string, string | number>>;

export interface Audit {
  readonly note: (event: AuditEvent, facts?: AuditFacts) => void;
  readonly close: () => void;
}

const MAX_VALUE_LENGTH = 256;

function line(event: AuditEvent, facts: AuditFacts): string {
  const capped = Object.entries(facts).map(([key, value]) => [
    key,
    typeof value === 'string' ? value.slice(0, MAX_VALUE_LENGTH) : value,
  ]);
  return `${JSON.stringify({ at: new Date().toISOString(), event, ...Object.fromEntries(capped) })}\n`;
}

/** @param failed told when a line cannot be written: the hub goes on, its log says so */
export function openAudit(dataDir: string, failed: (error: unknown) => void): Audit {
  const flags = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT | NO_FOLLOW;
  const fd = fs.openSync(path.join(dataDir, 'audit.jsonl'), flags, PRIVATE_FILE_MODE);
  return {
    note: (event, facts = {}) => {
      try {
        fs.writeSync(fd, line(event, facts));
      } catch (error) {
        failed(error);
      }
    },
    close: () => fs.closeSync(fd),
  };
}
