/** What a registered client may read on its hub (FM-41, FM-44): type, shape, and how it is told in words. */
import * as z from 'zod';
import { ENTRY_TYPES, isProjectName, type EntryType } from './entry';

/** Absent members limit nothing. */
export interface ClientAccess {
  /** Registered, but not approved by the operator: publishes, reads nothing. */
  readonly pending?: true | undefined;
  readonly types?: readonly EntryType[] | undefined;
  /** Projects whose entries it gets; those of its own project come in any case. */
  readonly origins?: readonly string[] | undefined;
}

const project = z.string().refine(isProjectName, 'is no project name');

export const accessSchema = z.object({
  pending: z.literal(true).optional(),
  types: z.array(z.enum(ENTRY_TYPES)).min(1).optional(),
  origins: z.array(project).min(1).optional(),
});

/** What the operator changes of it; `all` = the limits of before are gone. */
export const limitsSchema = accessSchema.omit({ pending: true }).extend({ all: z.literal(true).optional() });

/** As a hub tells it: a newer one may grant types that this version does not know. */
export const toldAccessSchema = z.object({
  pending: z.literal(true).optional(),
  types: z.array(z.string()).optional(),
  origins: z.array(z.string()).optional(),
}) as unknown as z.ZodType<ClientAccess>;

/** In one form, so that equal access is equal text. @returns undefined when it limits nothing */
export function normalAccess({ pending, types, origins }: ClientAccess): ClientAccess | undefined {
  const access = {
    ...(pending === undefined ? {} : { pending }),
    ...(types === undefined ? {} : { types: ENTRY_TYPES.filter((type) => types.includes(type)) }),
    ...(origins === undefined ? {} : { origins: [...new Set(origins)].sort() }),
  };
  return Object.keys(access).length === 0 ? undefined : access;
}

/** Tells one access from another; '' = no limits. */
export function accessKey(access: ClientAccess | undefined): string {
  const normal = normalAccess(access ?? {});
  return normal === undefined ? '' : JSON.stringify(normal);
}

/** Such as `types: decision, task; origins: alpha`; '' = no limits. */
export function limitsText({ types, origins }: ClientAccess): string {
  const parts = [
    types === undefined ? undefined : `types: ${types.join(', ')}`,
    origins === undefined ? undefined : `origins: ${origins.join(', ')}`,
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

/** @param clientId public part of the client's token */
export function waitingText(clientId: string): string {
  return `This client waits for the operator's approval: it may publish, and reads nothing until then (on the hub's machine: ctx hub client approve ${clientId}).`;
}
