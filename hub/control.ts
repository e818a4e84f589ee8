/** Local control: what the operator on the hub's own machine may ask of the running hub (PROTOCOL.md, section "Wire"). */
import * as z from 'zod';
import { limitsSchema } from '../core/access';
import type { StampedEntry } from '../core/entry';
import type { Audit } from './audit';
import { clusterActions } from './cluster-control';
import { controlParameters } from './control-parameters';
import { importEntries, importSchema } from './import-entries';
import type { HubParts } from './hub-parts';
import type { ClientAdmin } from './server/client-admin';
import type { ControlAction } from './server/http-routes';

const clientSchema = z.object({ client_id: z.string() });
const grantSchema = clientSchema.extend(limitsSchema.shape);

export interface ControlParts {
  readonly clients: ClientAdmin;
  readonly parts: HubParts;
  readonly audit: Audit;
  /** Begins to stop; the answer goes out before the hub is gone. */
  readonly stop: () => void;
  /** Makes a new admin token, valid at once. */
  readonly rotateAdmin: () => Promise<{ readonly token: string }>;
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
        const { client_id } = controlParameters(clientSchema, parameters);
        await parts.clients.revoke(client_id, 'control');
        return { client_id };
      },
    ],
    [
      'client_approve',
      async (parameters) => {
        const { client_id } = controlParameters(clientSchema, parameters);
        return { client_id, access: await parts.clients.grant(client_id, { approve: true }, 'control') };
      },
    ],
    [
      'client_grant',
      async (parameters) => {
        const { client_id, ...limits } = controlParameters(grantSchema, parameters);
        return { client_id, access: await parts.clients.grant(client_id, { limits }, 'control') };
      },
    ],
    // The log only grows: whoever knows this point copies the files up to there while the hub goes on.
    ['backup_point', () => Promise.resolve(parts.parts.durableEnd())],
    [
      'import',
      async (parameters) => {
        const { entries } = controlParameters(importSchema, parameters);
        return { results: await importEntries(parts.parts.engine, entries as readonly StampedEntry[]) };
      },
    ],
    ['token_rotate', () => parts.rotateAdmin()],
    ...clusterActions(parts),
  ]);
}
