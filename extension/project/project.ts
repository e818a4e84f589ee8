/** One project of the window: its `.context`, its own connection, and what is known of its entries on the hub. */
import fs from 'node:fs';
import * as vscode from 'vscode';
import { ENTRY_TYPES, type StoredEntry } from '../../core/entry';
import { HubError } from '../../core/errors';
import { readConnection, writeConnection, type Connection } from '../../core/node/connection-file';
import { readMirror } from '../../core/node/mirror';
import type { ProjectPaths } from '../../core/node/project-directory';
import type { SyncSnapshot } from '../../core/sync/snapshot';
import { describeError } from '../notify';
import type { ConnectionConsent } from './consent';
import { openLink, type Link } from './link';
import { readShares, type Shares } from './shares';
import type { ConnectionFacts, ProjectStatus } from './status';

export interface ProjectServices {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: vscode.LogOutputChannel;
  readonly consent: ConnectionConsent;
  readonly localHub: {
    /** Whether the hub with this id is the one of this machine. */
    readonly isLocal: (hubId: string) => Promise<boolean>;
    /** Where it is now, when it is that one and runs. */
    readonly localAddress: (hubId: string) => Promise<string | undefined>;
  };
}

const IDLE: SyncSnapshot = { phase: 'idle', address: undefined, cursor: undefined, head: undefined, outbox: 0 };
const NO_SHARES: Shares = { pending: 0, states: {} };

function factsOf(connection: Connection, isLocal: boolean): ConnectionFacts {
  const { hub_addr: address, project, client, hub_id: hubId, types } = connection;
  return { address, project, client, hubId, isLocal, types: types ?? ENTRY_TYPES };
}

export class Project implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<this>();
  readonly #received = new vscode.EventEmitter<readonly StoredEntry[]>();
  readonly #loaded = new vscode.EventEmitter<readonly StoredEntry[]>();
  readonly #watchers: vscode.Disposable[] = [];
  /** Status or shares changed. */
  readonly onDidChange = this.#changed.event;
  /** Entries of other projects came down the stream. */
  readonly onDidReceive = this.#received.event;
  /** Everything that the mirror on disk has. */
  readonly onDidLoad = this.#loaded.event;
  #status: ProjectStatus = { kind: 'noContext' };
  #shares: Shares = NO_SHARES;
  #link: { readonly link: Link; readonly key: string } | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    readonly paths: ProjectPaths,
    readonly name: string,
    private readonly services: ProjectServices,
  ) {
    this.#watch(paths.contextDir, '{.connect.enc,*.md}', () => this.refresh());
    this.#watch(paths.hubDir, '{outbox,shared,rejected}.jsonl', () => this.refreshShares());
  }

  get id(): string {
    return this.paths.root;
  }

  get status(): ProjectStatus {
    return this.#status;
  }

  get shares(): Shares {
    return this.#shares;
  }

  get connection(): ConnectionFacts | undefined {
    return this.#status.kind === 'connected' ? this.#status.connection : undefined;
  }

  /** Looks again at what is on disk; connects, reconnects or lets go accordingly. */
  refresh(): Promise<void> {
    return this.#queue(() => this.#load());
  }

  /** Looks again at what is shared and what waits, without waiting for the editor to notice the files. */
  refreshShares(): Promise<void> {
    return this.#queue(() => this.#readShares());
  }

  /** Something waits to be sent, or somebody asks to try now. */
  nudge(): void {
    this.#link?.link.nudge();
  }

  /** What the mirror on disk has of the subscribed types, for content and for showing it offline. */
  async readMirror(): Promise<readonly StoredEntry[]> {
    const entries = await readMirror(this.paths.root);
    const types = this.connection?.types ?? ENTRY_TYPES;
    return entries.filter(({ type }) => types.includes(type));
  }

  dispose(): void {
    this.#closed = true;
    vscode.Disposable.from(...this.#watchers, this.#changed, this.#received, this.#loaded).dispose();
    void this.close();
  }

  /** Resolves when the connection is closed. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#queue(() => this.#disconnect());
  }

  #watch(dir: string, pattern: string, changed: () => unknown): void {
    const watched = new vscode.RelativePattern(vscode.Uri.file(dir), pattern);
    const watcher = vscode.workspace.createFileSystemWatcher(watched);
    this.#watchers.push(
      watcher,
      watcher.onDidCreate(changed),
      watcher.onDidChange(changed),
      watcher.onDidDelete(changed),
    );
  }

  #queue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.services.log.error(`${this.name}: ${describeError(error)}`);
    });
    return this.#work;
  }

  #set(status: ProjectStatus): void {
    this.#status = status;
    if (!this.#closed) this.#changed.fire(this);
  }

  async #load(): Promise<void> {
    if (this.#closed) return;
    await this.#readShares();
    const exists = fs.existsSync(this.paths.contextDir);
    // An untrusted workspace shows what is on disk already, and nothing more.
    if (!exists || !vscode.workspace.isTrusted) {
      await this.#letGo({ kind: exists ? 'notConnected' : 'noContext' });
      return;
    }
    try {
      const connection = await readConnection(this.paths, this.services.env);
      if (connection === undefined) {
        await this.#letGo({ kind: 'notConnected' });
        return;
      }
      const obstacle = await this.services.consent.obstacle(this.paths);
      if (obstacle !== undefined) {
        await this.#letGo({ kind: 'foreign', reason: obstacle });
        return;
      }
      await this.#connect(await this.#followLocalHub(connection));
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      await this.#letGo({ kind: 'foreign', reason: error.message });
    }
  }

  /** The local hub may have had to take another port: the connection follows it. */
  async #followLocalHub(connection: Connection): Promise<Connection> {
    const address = await this.services.localHub.localAddress(connection.hub_id);
    if (address === undefined || address === connection.hub_addr) return connection;
    const moved = { ...connection, hub_addr: address };
    await writeConnection(this.paths, this.services.env, moved);
    await this.services.consent.give(this.paths);
    this.services.log.info(`${this.name}: the local hub is now at ${address}`);
    return moved;
  }

  async #letGo(status: ProjectStatus): Promise<void> {
    await this.#disconnect();
    await this.#showMirror();
    this.#set(status);
  }

  async #showMirror(): Promise<void> {
    if (!this.#closed) this.#loaded.fire(await this.readMirror());
  }

  async #connect(connection: Connection): Promise<void> {
    const key = JSON.stringify(connection);
    if (this.#link?.key === key) return;
    await this.#disconnect();
    const facts = factsOf(connection, await this.services.localHub.isLocal(connection.hub_id));
    this.#set({ kind: 'connected', connection: facts, sync: IDLE });
    await this.#showMirror();
    const link = openLink({
      projectDir: this.paths.root,
      env: this.services.env,
      onSnapshot: (sync) => this.#noteSnapshot(facts, sync),
      onEntries: (entries) => this.#received.fire(entries),
      onNotice: (message) => this.services.log.info(`${this.name}: ${message}`),
    });
    this.#link = { link, key };
  }

  #noteSnapshot(connection: ConnectionFacts, sync: SyncSnapshot): void {
    this.#set({ kind: 'connected', connection, sync });
    // It may be back on another port, started by another window.
    if (sync.phase === 'waiting') void this.refresh();
  }

  async #disconnect(): Promise<void> {
    const open = this.#link;
    this.#link = undefined;
    await open?.link.close();
  }

  async #readShares(): Promise<void> {
    this.#shares = await readShares(this.paths);
    if (!this.#closed) this.#changed.fire(this);
  }
}
