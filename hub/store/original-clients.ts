/**
 * `clients.json` of the original hub: `[{id, project_name, token}]` with tokens in clear. Read once; what is kept is their
 * digests (FM-45).
 */
import * as z from 'zod';
import { isClientName, isProjectName } from '../../core/entry';
import { HubError } from '../../core/errors';
import { shapeFault } from '../../core/shape-fault';
import type { ClientTable } from '../state/client-table';
import type { ClientRecord } from '../state/commands';
import { sha256Hex } from './sha256';

const originalSchema = z.array(
  z.looseObject({ id: z.string().min(1), project_name: z.string().min(1), token: z.string().min(1) }),
);

const ID_DIGITS = 16;

/**
 * A token of the original has no public id: the start of its digest stands in for one. An authenticator finds the record
 * of any token that is not of our form by this id.
 */
export function originalTokenId(token: string): string {
  return sha256Hex(token).slice(0, ID_DIGITS);
}

function nameFrom(text: string, isName: (name: string) => boolean, otherwise: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .replace(/^[^a-z0-9]+/, '');
  return isName(name) ? name : otherwise;
}

function converted(original: z.infer<typeof originalSchema>[number], createdAt: string): ClientRecord {
  const { id, project_name, token } = original;
  const ownId = originalTokenId(token);
  return {
    id: ownId,
    project: nameFrom(project_name, isProjectName, `project-${ownId}`),
    // One per record: several clients of one project must not replace each other.
    client: nameFrom(`original-${id}`, isClientName, `original-${ownId}`),
    token_digest: sha256Hex(token),
    created_at: createdAt,
  };
}

/** @returns undefined when the value is not of the original's form */
export function convertOriginalClients(file: string, value: unknown, createdAt: string): ClientTable | undefined {
  if (!Array.isArray(value)) return undefined;
  const parsed = originalSchema.safeParse(value);
  if (!parsed.success) {
    const why = shapeFault(parsed.error);
    throw new HubError('bad_data', `${file} is damaged: ${why}. Correct it, or copy it back from a backup.`);
  }
  return { version: 1, records: parsed.data.map((each) => converted(each, createdAt)) };
}
