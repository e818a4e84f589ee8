/**
 * The hub's state machine: decides what a batch of commands means. Pure and tentative: `plan` changes nothing, so a batch
 * whose write failed is simply dropped; only `commit` moves the state, after the plan is durable.
 */
import type { Cursor } from '../../core/cursor';
import { checkPublishedEntry, type EntryType, type StampedEntry } from '../../core/entry';
import { HubError } from '../../core/errors';
import { base64url, encodeLine, type Sha256 } from '../../core/line';
import { withGranted, withRegistered, withRevoked, type ClientTable } from './client-table';
import type { ClientRecord, Command, CommandResult, EntryResult } from './commands';

/** What dedup needs to know of an entry in the log. */
export interface KnownEntry {
  readonly sequence: number;
  readonly origin: string;
  readonly type: string;
  readonly supersedes: string | undefined;
  /** A redacted entry has only the hash of its content. */
  readonly content: string | { readonly sha256: string };
}

/** Entries of the log by id, as of the state's head; an error when the log cannot be read there. */
export type KnownEntries = (id: string) => KnownEntry | HubError | undefined;

export interface PlannedLine {
  readonly id: string;
  readonly sequence: number;
  readonly type: EntryType;
  readonly digest: string;
  /** Without its line feed. */
  readonly text: string;
}

export interface Plan {
  /** One batch: each digest says that it starts with the first of them. */
  readonly lines: readonly PlannedLine[];
  /** The client table after the batch; undefined when it stays as it is. */
  readonly clients: ClientTable | undefined;
  /** One per command, in order. */
  readonly results: readonly CommandResult[];
  /** End of the log after the batch. */
  readonly head: Cursor;
  /** Makes the plan the state. Call once, when it is durable; no other plan may have been committed since. */
  readonly commit: () => void;
}

function conflict(id: string): HubError {
  return new HubError(
    'id_conflict',
    `The id ${id} is taken by another entry. Share a changed entry under a new id that supersedes the old one.`,
  );
}

/** A plan under way. */
class Draft {
  readonly lines: PlannedLine[] = [];
  private readonly fresh = new Map<string, KnownEntry>();
  private readonly batchFirst: number;

  constructor(
    public head: Cursor,
    private nextSequence: number,
    public clients: ClientTable,
    private readonly receivedAt: string,
    private readonly known: KnownEntries,
    private readonly sha256: Sha256,
  ) {
    this.batchFirst = nextSequence;
  }

  apply(command: Command): CommandResult {
    switch (command.kind) {
      case 'publish':
        return { kind: 'published', entries: command.entries.map((entry) => this.publish(entry)) };
      case 'register':
        this.clients = withRegistered(this.clients, command.record);
        return { kind: 'registered', record: command.record };
      case 'revoke': {
        const table = withRevoked(this.clients, command.clientId, command.at);
        if (table instanceof HubError) return { kind: 'refused', error: table };
        this.clients = table;
        return { kind: 'revoked', clientId: command.clientId };
      }
      case 'grant': {
        const granted = withGranted(this.clients, command.clientId, command.access);
        if (granted instanceof HubError) return { kind: 'refused', error: granted };
        this.clients = granted.table;
        return { kind: 'granted', record: granted.record };
      }
    }
  }

  private publish(entry: StampedEntry): EntryResult {
    const { id } = entry;
    try {
      checkPublishedEntry(entry);
    } catch (error) {
      if (error instanceof HubError) return { kind: 'refused', id, error };
      throw error;
    }
    const known = this.fresh.get(id) ?? this.known(id);
    if (known instanceof HubError) return { kind: 'refused', id, error: known };
    if (known === undefined) return this.append(entry);
    if (this.isSame(known, entry)) return { kind: 'duplicate', id, sequence: known.sequence };
    return { kind: 'refused', id, error: conflict(id) };
  }

  private isSame(known: KnownEntry, entry: StampedEntry): boolean {
    if (known.origin !== entry.origin || known.type !== entry.type || known.supersedes !== entry.supersedes) {
      return false;
    }
    if (typeof known.content === 'string') return known.content === entry.content;
    return known.content.sha256 === base64url(this.sha256(JSON.stringify(entry.content).slice(1, -1)));
  }

  private append(entry: StampedEntry): EntryResult {
    const sequence = this.nextSequence++;
    const { id, type, content, origin, client, timestamp, meta, supersedes } = entry;
    const { text, digest } = encodeLine(
      this.sha256,
      { id, type, content, origin, client, timestamp, received_at: this.receivedAt, sequence, meta, supersedes },
      this.head.digest,
      this.batchFirst,
    );
    this.lines.push({ id, sequence, type, digest, text });
    this.head = { sequence, digest };
    this.fresh.set(id, { sequence, origin, type, supersedes, content });
    return { kind: 'stored', id, sequence };
  }
}

const byId = (table: ClientTable): ReadonlyMap<string, ClientRecord> =>
  new Map(table.records.map((record) => [record.id, record]));

export interface HubStateOptions {
  readonly head: Cursor;
  /** Default: the one after the head. Later, when the log's last entries were lost. */
  readonly nextSequence?: number;
  readonly clients: ClientTable;
  readonly sha256: Sha256;
}

export class HubState {
  private headCursor: Cursor;
  private nextSequence: number;
  private clientTable: ClientTable;
  private clientsById: ReadonlyMap<string, ClientRecord>;
  private readonly sha256: Sha256;

  constructor(options: HubStateOptions) {
    this.headCursor = options.head;
    this.nextSequence = options.nextSequence ?? options.head.sequence + 1;
    this.clientTable = options.clients;
    this.clientsById = byId(options.clients);
    this.sha256 = options.sha256;
  }

  get head(): Cursor {
    return this.headCursor;
  }

  get clients(): ClientTable {
    return this.clientTable;
  }

  client(id: string): ClientRecord | undefined {
    return this.clientsById.get(id);
  }

  /** Takes over what another replica has: the log up to `head`, and its clients when given. */
  adopt(head: Cursor, clients?: ClientTable): void {
    this.headCursor = head;
    this.nextSequence = head.sequence + 1;
    if (clients === undefined) return;
    this.clientTable = clients;
    this.clientsById = byId(clients);
  }

  /**
   * @param receivedAt RFC 3339 with milliseconds: the stamp of every line of the batch
   * @param known looks an id up in the log as it is at {@link head}
   */
  plan(commands: readonly Command[], receivedAt: string, known: KnownEntries): Plan {
    const before = this.headCursor;
    const draft = new Draft(before, this.nextSequence, this.clientTable, receivedAt, known, this.sha256);
    const results = commands.map((command) => draft.apply(command));
    return {
      lines: draft.lines,
      clients: draft.clients === this.clientTable ? undefined : draft.clients,
      results,
      head: draft.head,
      commit: () => {
        if (this.headCursor !== before) throw new Error('a plan was committed out of turn');
        this.headCursor = draft.head;
        if (draft.lines.length > 0) this.nextSequence = draft.head.sequence + 1;
        if (draft.clients === this.clientTable) return;
        this.clientTable = draft.clients;
        this.clientsById = byId(draft.clients);
      },
    };
  }
}
