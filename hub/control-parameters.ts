/** What an action of local control was given, checked. */
import type * as z from 'zod';
import { HubError } from '../core/errors';

/** @throws HubError `invalid`, naming the first member that does not fit */
export function controlParameters<T>(schema: z.ZodType<T>, parameters: unknown): T {
  const result = schema.safeParse(parameters);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new HubError('invalid', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`);
}
