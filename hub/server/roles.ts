/** Who may do what (S10): one row per request. */
import { HubError } from '../../core/errors';
import type { RequestKind } from '../../core/wire';
import type { SessionIdentity } from './authenticator';

const ALLOWED: Readonly<Record<RequestKind, readonly SessionIdentity['kind'][]>> = {
  publish: ['client'],
  listen: ['client'],
  sync: ['client'],
  status: ['client', 'admin'],
  register: ['admin'],
  client_list: ['admin'],
  client_revoke: ['admin'],
};

const NEEDED: Readonly<Record<SessionIdentity['kind'], string>> = {
  client: 'a client token (ctx connection register)',
  admin: 'the admin token',
};

/** @throws HubError `forbidden` */
export function requireRole(identity: SessionIdentity, kind: RequestKind): void {
  const allowed = ALLOWED[kind];
  if (allowed.includes(identity.kind)) return;
  const needed = allowed.map((each) => NEEDED[each]).join(' or ');
  throw new HubError('forbidden', `This token may not ${kind.replace('client_', '')}: that needs ${needed}.`);
}
