/**
 * Who is at the other end: turns an `Authorization` header into an identity, and says on every message whether it still
 * holds (S07, S08, S09, S15). Never logs or returns what was presented.
 */
import type { ClientAccess } from '../../core/access';
import { parseToken, type Token } from '../../core/token';
import type { ClientDirectory } from '../engine/log-engine';
import { originalTokenId } from '../store/original-clients';
import { digestOf, sameDigest } from './secrets';

export interface ClientIdentity {
  readonly kind: 'client';
  readonly id: string;
  readonly project: string;
  readonly client: string;
  /** Of the secret that was presented: a replaced token stops working on open sessions too. */
  readonly digest: string;
}

export interface AdminIdentity {
  readonly kind: 'admin';
  readonly id: string;
  readonly digest: string;
}

/** The operator on the hub's own machine, by the secret in hub.json. */
export interface ControlIdentity {
  readonly kind: 'control';
}

export type Identity = ClientIdentity | AdminIdentity | ControlIdentity;
export type SessionIdentity = ClientIdentity | AdminIdentity;

/** Public id and digest of a token that is kept outside clients.json. */
export interface KeptToken {
  readonly id: string;
  readonly digest: string;
}

/** Tokens of the original hub have a form of their own; their record is found by the start of their digest. */
function originalToken(presented: string): Token {
  return { kind: 'cli', id: originalTokenId(presented), secret: presented };
}

/** Same work for nonsense as for a token: this one is hashed instead. */
const NOBODY: Token = { kind: 'cli', id: '0'.repeat(16), secret: '0'.repeat(64) };
/** No secret has this digest. */
const NO_DIGEST = 'f'.repeat(64);

export class Authenticator {
  private admin: KeptToken | undefined;

  constructor(
    private readonly clients: ClientDirectory,
    admin: KeptToken | undefined,
    private readonly control: KeptToken,
  ) {
    this.admin = admin;
  }

  replaceAdmin(admin: KeptToken): void {
    this.admin = admin;
  }

  /** `undefined` for every fault alike. */
  authenticate(authorization: string | undefined): Identity | undefined {
    const presented = authorization?.startsWith('Bearer ') === true ? authorization.slice('Bearer '.length) : '';
    const parsed = parseToken(presented) ?? (presented === '' ? undefined : originalToken(presented));
    const token = parsed ?? NOBODY;
    const digest = digestOf(token.secret);
    const matches = sameDigest(digest, this.keptDigest(token) ?? NO_DIGEST);
    return parsed !== undefined && matches ? this.identityOf(parsed, digest) : undefined;
  }

  /** Whether the identity of an open session is still good. */
  isCurrent(identity: SessionIdentity): boolean {
    const kept = identity.kind === 'client' ? this.activeClient(identity.id)?.token_digest : this.admin?.digest;
    return kept === identity.digest;
  }

  /** What an open session may read now; absent = everything. */
  access(identity: SessionIdentity): ClientAccess | undefined {
    return identity.kind === 'client' ? this.activeClient(identity.id)?.access : undefined;
  }

  private activeClient(id: string): ReturnType<ClientDirectory['find']> {
    const record = this.clients.find(id);
    return record?.revoked_at === undefined ? record : undefined;
  }

  private keptDigest(token: Token): string | undefined {
    switch (token.kind) {
      case 'cli':
        return this.activeClient(token.id)?.token_digest;
      case 'adm':
        return token.id === this.admin?.id ? this.admin.digest : undefined;
      case 'ctl':
        return token.id === this.control.id ? this.control.digest : undefined;
    }
  }

  private identityOf(token: Token, digest: string): Identity | undefined {
    if (token.kind === 'adm') return { kind: 'admin', id: token.id, digest };
    if (token.kind === 'ctl') return { kind: 'control' };
    const record = this.activeClient(token.id);
    if (record === undefined) return undefined;
    return { kind: 'client', id: record.id, project: record.project, client: record.client, digest };
  }
}
