/**
 * The path of a share: the local file first, then the hub. Success is a quiet tick; a hub that cannot be reached is one warning
 * per outage, and the entry waits in the outbox.
 */
import * as vscode from 'vscode';
import type { PublishedEntry } from '../../core/entry';
import { shareEntry, type ShareOutcome } from '../../core/node/share';
import { commandName } from '../names';
import { complain, confirm, inform, tick, warn, type Offer } from '../notify';
import type { Memory } from '../project/consent';
import type { Project } from '../project/project';
import { setting } from '../settings';

const NAMED_HUBS = 'namedHubs';

export class Sharing {
  /** Hubs whose outage has been told, by id. */
  readonly #told = new Set<string>();

  constructor(
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly workspace: Memory,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** An outage is over when the hub answers again: the next one is told again. */
  watch(project: Project): void {
    project.onDidChange(({ status }) => {
      if (status.kind === 'connected' && status.sync.phase === 'live') this.#told.delete(status.connection.hubId);
    });
  }

  /** Sends an entry that stands in the local file already. */
  async send(project: Project, entry: PublishedEntry, title: string): Promise<ShareOutcome | undefined> {
    const { connection } = project;
    if (connection === undefined) {
      void this.#tellNotConnected(project);
      return undefined;
    }
    if (!(await this.#hubIsKnown(project, connection.address, connection.project))) return undefined;
    const outcome = await shareEntry(project.paths.root, entry, { env: this.env });
    // The running connection learns at once that something waits, or has been sent.
    project.nudge();
    await project.refreshShares();
    this.#tell(project, outcome, title);
    return outcome;
  }

  /** The user has just chosen this hub by name: the first share need not ask. */
  async nameHub(project: Project, address: string): Promise<void> {
    await this.workspace.update(NAMED_HUBS, { ...this.#named(), [project.id]: address });
  }

  /** The first share from a workspace names where it goes. */
  async #hubIsKnown(project: Project, address: string, name: string): Promise<boolean> {
    if (this.#named()[project.id] === address) return true;
    const question = vscode.l10n.t('Share with the hub at {0}?', address);
    const detail = vscode.l10n.t(
      'It goes out as project "{0}", and everyone who is connected to that hub can read it. This is asked once.',
      name,
    );
    if (!(await confirm(question, detail, vscode.l10n.t('Share')))) return false;
    await this.nameHub(project, address);
    return true;
  }

  #named(): Readonly<Record<string, unknown>> {
    const value = this.workspace.get(NAMED_HUBS);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  }

  #tell(project: Project, outcome: ShareOutcome, title: string): void {
    switch (outcome.kind) {
      case 'shared':
        tick(vscode.l10n.t('Shared as #{0}: {1}', outcome.sequence, title));
        return;
      case 'refused':
        void complain(
          vscode.l10n.t('Saved in .context, but the hub refused it: {0}', outcome.error.message),
          this.#log(),
        );
        return;
      case 'pending':
        this.log.warn(`${project.name}: not shared yet: ${outcome.reason.message}`);
        this.#tellOutage(project, outcome.reason.message);
    }
  }

  #tellOutage(project: Project, reason: string): void {
    const { hubId = '', isLocal = false } = project.connection ?? {};
    if (this.#told.has(hubId) || !setting('ctxHub.connection.warnWhenUnreachable')) return;
    this.#told.add(hubId);
    // What to check stands in the log; here the first sentence says what is wrong.
    const [what = ''] = reason.split(/(?<=\.)\s/);
    void warn(
      vscode.l10n.t('Saved in .context. Not shared: {0} It is sent by itself when the hub is back.', what),
      isLocal
        ? {
            title: vscode.l10n.t('Start Local Hub'),
            run: () => vscode.commands.executeCommand(commandName('startLocalHub')),
          }
        : { title: vscode.l10n.t('Retry'), run: () => project.nudge() },
      this.#log(),
      {
        title: vscode.l10n.t("Don't Show Again"),
        run: () =>
          vscode.workspace
            .getConfiguration()
            .update('ctxHub.connection.warnWhenUnreachable', false, vscode.ConfigurationTarget.Global),
      },
    );
  }

  #tellNotConnected(project: Project): Promise<void> {
    const run = (id: 'connectLocal' | 'connect') => (): Thenable<unknown> =>
      vscode.commands.executeCommand(commandName(id));
    return inform(
      vscode.l10n.t('Saved in .context. {0} is not connected to a hub, so nobody else sees it yet.', project.name),
      { title: vscode.l10n.t('Connect to the Local Hub'), run: run('connectLocal') },
      { title: vscode.l10n.t('Connect to a Hub…'), run: run('connect') },
    );
  }

  #log(): Offer {
    return { title: vscode.l10n.t('Show Log'), run: () => this.log.show() };
  }
}
