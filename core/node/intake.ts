/**
 * What a sync client does with what the hub sends: mirror it (if this process keeps the mirror), note own entries in the
 * ledger, keep a journal, tell the listener. One thing at a time, in order; each place has its own cursor and skips what it has.
 */
import { accessKey, type ClientAccess } from '../access';
import type { Cursor } from '../cursor';
import { ENTRY_TYPES, type EntryType, type StoredEntry } from '../entry';
import { HubError } from '../errors';
import { sortIntake } from '../sync/intake';
import type { EntriesPush } from '../wire';
import type { Connection } from './connection-file';
import type { HubSession } from './hub-session';
import { Mirror } from './mirror';
import { MirrorEdited } from './mirror-file';
import { readMirrorState } from './mirror-state';
import type { Outbox } from './outbox';
import type { ProjectPaths } from './project-directory';
import { readLedger } from './share-ledger';

/** Keeps everything that comes, whatever its type and origin (FM-37). */
export interface JournalSink {
  readonly cursor: Cursor | undefined;
  /** What the hub let this client read when it was written; absent = everything. */
  readonly access: ClientAccess | undefined;
  readonly take: (entries: readonly StoredEntry[], cursor: Cursor) => Promise<void>;
  /** The hub's history is another one, or more of it may be read: what comes again is recognised by id. */
  readonly startOver: (access: ClientAccess | undefined) => Promise<void>;
}

export interface IntakeOptions {
  readonly paths: ProjectPaths;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly journal?: JournalSink | undefined;
  readonly keepEntries?: number | undefined;
  readonly onEntries: (entries: readonly StoredEntry[]) => void;
  /** What a person should know. */
  readonly onNotice: (message: string) => void;
}

/** `rebased` = listen again from the intake's cursor. */
export type Applied = 'applied' | 'rebased';

const MIRROR_RETRY_MS = 5_000;

const isSame = (a: ClientAccess | undefined, b: ClientAccess | undefined): boolean => accessKey(a) === accessKey(b);

export class Intake {
  readonly #options: IntakeOptions;
  readonly #types: readonly EntryType[];
  #hubId: string;
  #mirror: Mirror | undefined;
  #mirrorTriedAt = -Infinity;
  /** What this process has been told of, whoever keeps the mirror. */
  #seen: Cursor | undefined;
  #known = new Set<string>();
  /** What the hub lets this client read. */
  #access: ClientAccess | undefined;

  private constructor(options: IntakeOptions) {
    this.#options = options;
    this.#types = options.connection.types ?? ENTRY_TYPES;
    this.#hubId = options.connection.hub_id;
  }

  static async open(options: IntakeOptions): Promise<Intake> {
    const intake = new Intake(options);
    await options.outbox.compactLedger();
    intake.#known = new Set((await readLedger(options.paths)).keys());
    await intake.#tryMirror();
    if (intake.#mirror === undefined) {
      options.onNotice('Another process of this project keeps the mirror; this one only listens.');
    }
    const state = await readMirrorState(options.paths);
    intake.#seen = intake.#mirror === undefined ? (state?.cursor ?? undefined) : intake.#mirror.cursor;
    return intake;
  }

  get keepsMirror(): boolean {
    return this.#mirror !== undefined;
  }

  get hubId(): string {
    return this.#hubId;
  }

  /** From where to listen so that every place gets what it lacks. */
  get cursor(): Cursor | undefined {
    const places = [this.#mirror === undefined ? this.#seen : this.#mirror.cursor];
    if (this.#options.journal !== undefined) places.push(this.#options.journal.cursor);
    return places.reduce((a, b) => (a === undefined || b === undefined ? undefined : a.sequence <= b.sequence ? a : b));
  }

  /** What to ask the hub for; `undefined` = every type. */
  get filter(): readonly EntryType[] | undefined {
    return this.#options.journal === undefined ? this.#options.connection.types : undefined;
  }

  /**
   * What was read under other access is read anew: a wider one brings what was held back, a narrower one takes away what is no
   * longer granted.
   */
  async readUnder(access: ClientAccess | undefined): Promise<void> {
    this.#access = access;
    const { journal } = this.#options;
    const mirror = this.#mirror;
    if (journal !== undefined && !isSame(journal.access, access)) await journal.startOver(access);
    if (mirror === undefined || isSame(mirror.access, access)) return;
    const hasRead = mirror.cursor !== undefined;
    await mirror.startOver(access);
    this.#seen = undefined;
    if (hasRead) this.#options.onNotice('What this client may read was changed by the operator; reading it anew.');
  }

  /** Fetches what was subscribed since the last time, from the start up to the mirror's cursor. */
  async backfill(session: Pick<HubSession, 'syncPage'>): Promise<void> {
    const mirror = this.#mirror;
    if (mirror === undefined) return;
    await mirror.prepare();
    const types = mirror.missingTypes;
    const to = mirror.cursor;
    for (let more = types.length > 0 && to !== undefined; more;) {
      const page = await session.syncPage({ types, to, cursor: mirror.backfillCursor });
      const afterSequence = mirror.backfillCursor?.sequence ?? 0;
      if (page.more && page.cursor.sequence <= afterSequence) {
        throw new HubError('internal', 'The hub sends the same page again and again.');
      }
      const { others, own } = sortIntake(page.entries, {
        afterSequence,
        origin: this.#options.connection.project,
        types,
      });
      await this.#noteOwn(own);
      await mirror.takeBackfill(others, page.cursor, !page.more);
      this.#options.onEntries(others);
      more = page.more;
    }
  }

  /** The hub's history is not ours any more: own entries go back to the outbox, everything else is read anew (FM-29). */
  async rewind(hubId: string): Promise<void> {
    const back = await this.#options.outbox.refillFromLedger();
    const { journal } = this.#options;
    await journal?.startOver(journal.access);
    if (hubId !== this.#hubId) await this.#reopenMirror(hubId);
    await this.#mirror?.startOver();
    this.#seen = undefined;
    this.#known.clear();
    const own = back === 0 ? '' : ` ${back} own ${back === 1 ? 'entry is' : 'entries are'} offered to it again.`;
    this.#options.onNotice(
      `The hub's history is not the one known here (restored or replaced); reading it anew.${own}`,
    );
  }

  /** @throws HubError when it cannot be written here; then nothing has moved */
  async apply(push: EntriesPush): Promise<Applied> {
    const before = this.#seen;
    if (this.#mirror === undefined && (await this.#takeOver()) === 'rebased') return 'rebased';
    const rules = { origin: this.#options.connection.project, types: this.#types };
    const { others, own, skipped } = sortIntake(push.entries, { ...rules, afterSequence: before?.sequence ?? 0 });
    const mirrored = await this.#applyToMirror(push, rules);
    if (mirrored === 'rebased') return mirrored;
    await this.#options.journal?.take(push.entries, push.cursor);
    await this.#noteOwn(own);
    if ((before?.sequence ?? 0) < push.cursor.sequence) this.#seen = push.cursor;
    if (skipped > 0) this.#options.onNotice(`${skipped} entries that this version cannot show were skipped.`);
    if (others.length > 0) this.#options.onEntries(others);
    return 'applied';
  }

  async close(): Promise<void> {
    await this.#mirror?.close();
    this.#mirror = undefined;
  }

  async #applyToMirror(push: EntriesPush, rules: { origin: string; types: readonly EntryType[] }): Promise<Applied> {
    const mirror = this.#mirror;
    const afterSequence = mirror?.cursor?.sequence ?? 0;
    if (mirror === undefined || push.cursor.sequence <= afterSequence) return 'applied';
    try {
      await mirror.take(sortIntake(push.entries, { ...rules, afterSequence }).others, push.cursor);
      return 'applied';
    } catch (error) {
      if (!(error instanceof MirrorEdited)) throw error;
      this.#options.onNotice(`${error.message}; it is managed by ctx and built anew from the hub.`);
      await mirror.startOver();
      return 'rebased';
    }
  }

  /** The process that kept the mirror may be gone. What it did not write any more has to come again. */
  async #takeOver(): Promise<Applied> {
    if (performance.now() - this.#mirrorTriedAt < MIRROR_RETRY_MS) return 'applied';
    await this.#tryMirror();
    const behind = (this.#mirror?.cursor?.sequence ?? 0) < (this.#seen?.sequence ?? 0);
    const isOther = (mirror: Mirror): boolean =>
      behind || mirror.missingTypes.length > 0 || !isSame(mirror.access, this.#access);
    return this.#mirror !== undefined && isOther(this.#mirror) ? 'rebased' : 'applied';
  }

  async #tryMirror(): Promise<void> {
    this.#mirrorTriedAt = performance.now();
    const { paths, keepEntries, onNotice } = this.#options;
    this.#mirror = await Mirror.open(paths, { hubId: this.#hubId, types: this.#types, keepEntries, onNotice });
  }

  async #reopenMirror(hubId: string): Promise<void> {
    this.#hubId = hubId;
    if (this.#mirror === undefined) return;
    await this.#mirror.close();
    await this.#tryMirror();
  }

  async #noteOwn(own: readonly StoredEntry[]): Promise<void> {
    const fresh = own.filter(({ id }) => !this.#known.has(id));
    await this.#options.outbox.noteSeen(fresh);
    for (const { id } of fresh) this.#known.add(id);
  }
}
