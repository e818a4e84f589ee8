/** The one status item: how the current project's connection is doing. A click opens a menu and never stops anything. */
import * as vscode from 'vscode';
import { visibleLine } from '../core/visible-text';
import { commandName } from './names';
import type { Projects } from './project/projects';
import type { Project } from './project/project';
import { lagOf, phaseWords, statusText } from './project/status';

function tooltip(project: Project): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  const line = (label: string, value: string): void => {
    text.appendMarkdown(`**${label}** `);
    text.appendText(`${visibleLine(value)}\n`);
    text.appendMarkdown('\n\n');
  };
  line(vscode.l10n.t('Project'), project.connection?.project ?? project.name);
  line(vscode.l10n.t('State'), phaseWords(project.status));
  if (project.status.kind === 'connected') {
    const { connection, sync } = project.status;
    line(vscode.l10n.t('Hub'), sync.address ?? connection.address);
    line(vscode.l10n.t('Sequence'), `#${sync.cursor?.sequence ?? 0}, ${lagOf(sync)} to go`);
    if (sync.lastError !== undefined) line(vscode.l10n.t('Last error'), sync.lastError.message);
  }
  line(vscode.l10n.t('Pending'), String(project.shares.pending));
  return text;
}

export class StatusBar implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('ctxHub.status', vscode.StatusBarAlignment.Left, 10);
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(private readonly projects: Projects) {
    this.#item.name = 'ctx Hub';
    this.#item.command = commandName('showMenu');
    this.#subscriptions = [
      projects.onDidChange(() => this.#draw()),
      vscode.window.onDidChangeActiveTextEditor(() => this.#draw()),
    ];
    this.#draw();
  }

  /** What it says; empty while it is hidden. */
  get text(): string {
    return this.#item.text;
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, this.#item).dispose();
  }

  #draw(): void {
    const project = this.projects.current;
    const shown = statusText(project?.status, vscode.workspace.isTrusted, project?.shares.pending ?? 0);
    if (project === undefined || shown === undefined) {
      this.#item.hide();
      return;
    }
    this.#item.text = shown.text;
    this.#item.tooltip = tooltip(project);
    this.#item.accessibilityInformation = { label: `ctx Hub: ${phaseWords(project.status)}` };
    this.#item.backgroundColor = shown.problem ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.show();
  }
}
