/** Local control: what the operator on the hub's own machine may ask of the running hub (PROTOCOL.md, section "Wire"). */
import { z } from 'zod';
import { HubError } from '../core/errors';
import type { ClientAdmin } from './server/client-admin';
import type { ControlAction } from './server/http-routes';

export interface ControlParts {
  readonly clients: ClientAdmin;
  /** Begins to stop; the answer goes out before the hub is gone. */
  readonly stop: () => void;
  /** Makes a new admin token, valid at once. */
  readonly rotateAdmin: () => Promise<{ readonly token: string }>;
}

function parsed<T>(schema: z.ZodType<T>, parameters: unknown): T {
  const result = schema.safeParse(parameters);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new HubError('invalid', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`);
}

export function controlActions(parts: ControlParts): Map<string, ControlAction> {
  return new Map<string, ControlAction>([
    [
      'stop',
      () => {
        parts.stop();
        return Promise.resolve({ stopping: true });
      },
    ],
    ['client_list', () => Promise.resolve({ clients: parts.clients.list() })],
    [
      'client_revoke',
      async (parameters) => {
        const { client_id } = parsed(z.object({ client_id: z.string() }), parameters);
        await parts.clients.revoke(client_id, 'control');
        return { client_id };
      },
    ],
    ['token_rotate', () => parts.rotateAdmin()],
  ]);
}
