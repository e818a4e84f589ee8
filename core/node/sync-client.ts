/**
 * Keeps a project in step with its hub: carries out what the sync machine decides, with real sockets, timers and files. Used by
 * the CLI and the editor alike. Lives until it is closed; what another process changes (outbox, connection) it notices.
 */
import { waitingText } from '../access';
import type { StoredEntry } from '../entry';
import type { Random } from '../ports';
import { HubError } from '../errors';
import { HEALTHY_AFTER_MS } from '../sync/backoff';
import { initialState, MAX_ADDRESSES, step } from '../sync/machine';
import type { SyncSnapshot } from '../sync/snapshot';
import type { PrepareTask, State, StateKind, SyncCommand, SyncEvent } from '../sync/state';
import type { BatchOutcome } from '../sync/drain';
import type { EntriesPush } from '../wire';
import { asHubError } from './as-hub-error';
import { clientIdOf, requireConnection, writeConnection, type Connection } from './connection-file';
import { openSession, type HubSession } from './hub-session';
import { Intake, type JournalSink } from './intake';
import { addressesOf, usableAddresses } from './open-any';
import { Outbox } from './outbox';
import { OutboxSender } from './outbox-sender';
import { FileWatch } from './file-watch';
import { projectPaths, type ProjectPaths } from './project-directory';
import { lastAcknowledged, NOTHING_ACKNOWLEDGED } from './share-ledger';

export type { SyncPhase, SyncSnapshot } from '../sync/snapshot';

export interface SyncClientOptions {
  readonly projectDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a person should know: reconnects, a mirror built anew, refused entries. */
  readonly log: (message: string) => void;
  readonly onChange: (snapshot: SyncSnapshot) => void;
  /** Entries of other projects, once each, after they are in the mirror. */
  readonly onEntries: (entries: readonly StoredEntry[]) => void;
  /** After each batch of the outbox. */
  readonly onShared?: ((outcome: BatchOutcome) => void) | undefined;
  readonly journal?: JournalSink | undefined;
  readonly keepEntries?: number | undefined;
  /** For trying each address once; 5 s for each by default. */
  readonly roundMs?: number | undefined;
  /** For the jitter of the backoff. */
  readonly random?: Random | undefined;
}

/**
 * Registering again in this project makes the hub refuse the old token before the new one is written here: a refusal counts
 * only when the connection is still the same after this long.
 */
const REPLACED_TOKEN_GRACE_MS = 2_000;

const PHASES: Readonly<Record<StateKind, SyncSnapshot['phase']>> = {
  idle: 'idle',
  connecting: 'connecting',
  preparing: 'connecting',
  subscribing: 'connecting',
  replaying: 'replaying',
  live: 'live',
  waiting: 'waiting',
  stopped: 'stopped',
};

export class SyncClient {
  readonly #options: SyncClientOptions;
  readonly #paths: ProjectPaths;
  readonly #random: Random;
  readonly #outbox: Outbox;
  readonly #sender: OutboxSender;
  #connection: Connection | undefined;
  #intake: Intake | undefined;
  #state: State | undefined;
  /** Set when there is no machine: not connected, or its files cannot be used. */
  #startError: HubError | undefined;
  /** The machine has stopped, but another connection takes its place at once, or may be about to: no end to be told of. */
  #passing = false;
  #secondLook: NodeJS.Timeout | undefined;
  #session: HubSession | undefined;
  /** Told once, and again only after it was approved. */
  #waitsForApproval = false;
  /** What the hub had acknowledged before the session was opened. */
  #acknowledged = NOTHING_ACKNOWLEDGED;
  #opening: AbortController | undefined;
  #closing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #health: NodeJS.Timeout | undefined;
  /** Work on files, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #watch: FileWatch | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: SyncClientOptions) {
    this.#options = options;
    this.#paths = projectPaths(options.projectDir);
    this.#random = options.random ?? Math.random;
    this.#outbox = new Outbox(this.#paths);
    this.#sender = new OutboxSender({
      paths: this.#paths,
      outbox: this.#outbox,
      random: this.#random,
      session: () => this.#session,
      log: options.log,
      onShared: (outcome) => options.onShared?.(outcome),
      onCount: () => this.#changed(),
      onAdded: () => this.flush(),
    });
  }

  /** Begins; never throws: what hinders it is in the snapshot. */
  start(): void {
    this.#watch ??= new FileWatch(this.#paths, {
      onOutbox: () => void this.#sender.noteChange(),
      onConnection: () => this.#enqueue(() => this.#reload()),
    });
    this.#enqueue(() => this.#begin());
  }

  /** Tries now: connects if it waits, sends what is in the outbox. */
  flush(): void {
    this.#dispatch({ kind: 'nudge' });
  }

  snapshot(): SyncSnapshot {
    const state = this.#state;
    const waitMs = state?.kind === 'waiting' ? state.waitMs : undefined;
    return {
      phase: this.#phase(),
      address: state?.addresses[state.at],
      cursor: state?.cursor,
      head: state?.head,
      outbox: this.#sender.waiting,
      waitsForApproval: this.#waitsForApproval,
      lastError: this.#startError ?? state?.lastError,
      retryInMs: waitMs,
    };
  }

  #phase(): SyncSnapshot['phase'] {
    if (this.#state === undefined) return this.#startError === undefined ? 'idle' : 'stopped';
    return this.#passing && this.#state.kind === 'stopped' ? 'connecting' : PHASES[this.#state.kind];
  }

  /** Ends in order: what is being applied is finished, the mirror is given to others. */
  close(): Promise<void> {
    return (this.#closed ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#watch?.close();
    this.#dispatch({ kind: 'stop' });
    clearTimeout(this.#health);
    clearTimeout(this.#secondLook);
    await Promise.all([this.#closing, this.#sender.close()]);
    await this.#work;
    await this.#intake?.close();
  }

  async #begin(): Promise<void> {
    if (this.#isClosed()) return;
    try {
      await this.#sender.count();
      this.#connection = await requireConnection(this.#paths, this.#options.env);
      this.#intake = await Intake.open({
        paths: this.#paths,
        connection: this.#connection,
        outbox: this.#outbox,
        journal: this.#options.journal,
        keepEntries: this.#options.keepEntries,
        onEntries: this.#options.onEntries,
        onNotice: this.#options.log,
      });
      this.#startError = undefined;
      if (this.#isClosed()) return;
      this.#state = initialState(addressesOf(this.#connection), this.#intake.cursor);
      this.#dispatch({ kind: 'start' });
    } catch (error) {
      this.#startError = asHubError(error);
      this.#changed();
    }
  }

  /** The connection file is another one now: registered again, other subscriptions, or gone. */
  async #reload(): Promise<void> {
    const now = await requireConnection(this.#paths, this.#options.env).catch(asHubError);
    if (!(now instanceof HubError) && JSON.stringify(now) === JSON.stringify(this.#connection)) return;
    clearTimeout(this.#secondLook);
    this.#passing = true;
    this.#dispatch({ kind: 'stop' });
    await this.#closing;
    await this.#intake?.close();
    this.#state = undefined;
    this.#intake = undefined;
    this.#connection = undefined;
    this.#passing = false;
    await this.#begin();
  }

  #enqueue(work: () => Promise<void>): void {
    if (this.#isClosed()) return;
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#options.log(asHubError(error).message);
    });
  }

  #dispatch(event: SyncEvent): void {
    if (this.#state === undefined) return;
    const before = this.#state;
    const { state, commands } = step(before, event, this.#random);
    this.#state = state;
    for (const command of commands) this.#carryOut(command);
    if (state === before) return;
    if (state.kind === 'stopped' && state.lastError?.code === 'unauthenticated') this.#lookAgain();
    this.#changed();
  }

  /** After a refused token: a connection that was replaced meanwhile is taken up, else the end is told. */
  #lookAgain(): void {
    if (this.#passing || this.#isClosed()) return;
    this.#passing = true;
    this.#secondLook = setTimeout(() => {
      this.#enqueue(async () => {
        await this.#reload();
        if (this.#state?.kind !== 'stopped') return;
        this.#passing = false;
        this.#changed();
      });
    }, REPLACED_TOKEN_GRACE_MS);
  }

  #isClosed(): boolean {
    return this.#closed !== undefined;
  }

  #changed(): void {
    this.#options.onChange(this.snapshot());
  }

  #carryOut(command: SyncCommand): void {
    switch (command.kind) {
      case 'open':
        void this.#open(command.address, command.session);
        return;
      case 'prepare':
        this.#onFiles((session) => this.#prepare(command.task, session));
        return;
      case 'listen':
        void this.#listen(command.cursor);
        return;
      case 'drain':
        this.#sender.send();
        return;
      case 'closeSession':
        this.#opening?.abort(new HubError('going_away', 'Not wanted any more.'));
        this.#closing = this.#session?.close();
        this.#session = undefined;
        return;
      case 'wait':
        this.#retry = setTimeout(() => this.#dispatch({ kind: 'retryDue' }), command.ms);
        return;
      case 'cancelWait':
        clearTimeout(this.#retry);
        return;
      case 'watchHealth':
        this.#watchHealth();
    }
  }

  #watchHealth(): void {
    const session = this.#state?.session ?? 0;
    clearTimeout(this.#health);
    this.#health = setTimeout(() => this.#dispatch({ kind: 'healthy', session }), HEALTHY_AFTER_MS).unref();
  }

  async #open(address: string, session: number): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const opening = new AbortController();
    this.#opening = opening;
    try {
      const { token, ca, fingerprint } = connection;
      // Before the session: what is in the ledger now, the hub had acknowledged when it says hello.
      await this.#sender.settled();
      this.#acknowledged = await lastAcknowledged(this.#paths);
      const { roundMs } = this.#options;
      const openMs = roundMs === undefined ? undefined : roundMs / (this.#state?.addresses.length ?? 1);
      const opened = await openSession({ address, token, ca, fingerprint, signal: opening.signal, openMs });
      if (opening.signal.aborted || this.#state?.session !== session) {
        opened.terminate();
        return;
      }
      this.#session = opened;
      void opened.closed.then(({ error, addresses }) => {
        if (this.#session === opened) this.#session = undefined;
        this.#dispatch({ kind: 'lost', session, error, addresses: usableAddresses(addresses, opened.address) });
      });
      const cluster = usableAddresses(opened.hello.cluster, opened.address);
      this.#enqueue(() => this.#rememberAddresses(cluster));
      this.#dispatch({ kind: 'opened', session, head: opened.hello.head, cluster });
    } catch (error) {
      this.#dispatch({ kind: 'openFailed', session, error: asHubError(error) });
    }
  }

  /** What the hub says of its other addresses is kept, so that a client that starts while one is down knows the others. */
  async #rememberAddresses(named: readonly string[]): Promise<void> {
    const before = this.#connection;
    if (before === undefined) return;
    const peers = [...new Set([...(before.peers ?? []), ...named])].filter((peer) => peer !== before.hub_addr);
    if (peers.length <= (before.peers ?? []).length) return;
    this.#connection = { ...before, peers: peers.slice(0, MAX_ADDRESSES) };
    await writeConnection(this.#paths, this.#options.env, this.#connection);
  }

  /** Work of the current session on files; its failure ends the session. */
  #onFiles(work: (session: HubSession) => Promise<void>): void {
    const session = this.#session;
    const number = this.#state?.session ?? 0;
    if (session === undefined) return;
    this.#enqueue(async () => {
      try {
        await work(session);
      } catch (error) {
        this.#dispatch({ kind: 'failed', session: number, error: asHubError(error) });
      }
    });
  }

  async #prepare(task: PrepareTask, session: HubSession): Promise<void> {
    const intake = this.#intake;
    const number = this.#state?.session ?? 0;
    if (intake === undefined || this.#session !== session) return;
    if (task === 'rewind') await this.#rewind(intake, session.hello.hub);
    else await this.#checkAcknowledged(session, intake);
    this.#noteApproval(session);
    if (!this.#waitsForApproval) {
      await intake.readUnder(session.hello.access);
      await intake.backfill(session);
    }
    this.#dispatch({ kind: 'prepared', session: number, cursor: intake.cursor });
  }

  #noteApproval({ hello }: HubSession): void {
    const known = this.#waitsForApproval;
    this.#waitsForApproval = hello.access?.pending === true;
    if (known || !this.#waitsForApproval || this.#connection === undefined) return;
    this.#options.log(waitingText(clientIdOf(this.#connection)));
  }

  /**
   * The cursor alone does not tell whether the hub is the one known here: it may lie before everything that was lost.
   * @throws HubError `diverged`
   */
  async #checkAcknowledged(session: HubSession, intake: Intake): Promise<void> {
    const { hub, head, cluster } = session.hello;
    if (hub !== intake.hubId) throw new HubError('diverged', 'This is another hub than before.');
    const { sequence, sent } = this.#acknowledged;
    const lost = (at: number): HubError =>
      new HubError('diverged', `The hub has lost entry #${at}, which it had acknowledged.`);
    // A node of a cluster may only lag.
    if (sequence > head.sequence && cluster.length === 0) throw lost(sequence);
    if (sent === undefined || sent.sequence <= (intake.cursor?.sequence ?? 0)) return;
    // It may have grown past what it lost. To send an entry again is safe, and says where it is.
    const [result] = await session.publish([sent.entry]).catch((error: unknown) => {
      // No answer, no knowledge: a hub that takes no writes now can be read all the same.
      if (error instanceof HubError) return [];
      throw error;
    });
    if (result !== undefined && 'sequence' in result && result.sequence !== sent.sequence) throw lost(sent.sequence);
  }

  async #rewind(intake: Intake, hubId: string): Promise<void> {
    await intake.rewind(hubId);
    if (this.#connection === undefined || this.#connection.hub_id === hubId) return;
    this.#connection = { ...this.#connection, hub_id: hubId };
    await writeConnection(this.#paths, this.#options.env, this.#connection);
  }

  async #listen(from: State['cursor']): Promise<void> {
    const session = this.#session;
    const number = this.#state?.session ?? 0;
    const filter = this.#intake?.filter;
    if (session === undefined) return;
    try {
      if (filter?.length === 0 || this.#waitsForApproval) {
        // Nothing is subscribed, or nothing granted yet: the session serves the outbox alone.
        this.#dispatch({ kind: 'applied', cursor: session.hello.head });
        this.#dispatch({ kind: 'listening', session: number, head: session.hello.head });
        return;
      }
      const head = await session.listen(from, filter, (push) => this.#take(push, number));
      this.#dispatch({ kind: 'listening', session: number, head });
    } catch (error) {
      this.#dispatch({ kind: 'failed', session: number, error: asHubError(error) });
    }
  }

  /** Resolves when the push is durable here; the session reads no further until then. */
  #take(push: EntriesPush, session: number): Promise<void> {
    this.#enqueue(async () => {
      const intake = this.#intake;
      if (intake === undefined || this.#state?.session !== session) return;
      try {
        const applied = await intake.apply(push);
        if (applied === 'applied') this.#dispatch({ kind: 'applied', cursor: push.cursor });
        else this.#dispatch({ kind: 'rebased', cursor: intake.cursor });
      } catch (error) {
        this.#dispatch({ kind: 'failed', session, error: asHubError(error) });
      }
    });
    return this.#work;
  }
}
