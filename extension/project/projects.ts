/** The projects of this window: one per workspace folder, or fewer when two folders lie in the same project. */
import * as vscode from 'vscode';
import { userHome } from '../../core/node/ctx-home';
import { findProject, newProjectRoot, projectPaths, type ProjectPaths } from '../../core/node/project-directory';
import { Project, type ProjectServices } from './project';

/** The project a folder is in; for a folder without one, where `Initialize .context` would make it. */
function pathsOf(folder: vscode.WorkspaceFolder, home: string): ProjectPaths {
  const dir = folder.uri.fsPath;
  return findProject(dir, home) ?? projectPaths(newProjectRoot(dir));
}

export class Projects implements vscode.Disposable {
  readonly #byRoot = new Map<string, Project>();
  readonly #added = new vscode.EventEmitter<Project>();
  readonly #removed = new vscode.EventEmitter<Project>();
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #subscriptions: readonly { readonly dispose: () => unknown }[];
  readonly onDidAdd = this.#added.event;
  readonly onDidRemove = this.#removed.event;
  /** Anything about any project, or which of them there are. */
  readonly onDidChange = this.#changed.event;

  constructor(private readonly services: ProjectServices) {
    this.#subscriptions = [
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.update()),
      this.#added,
      this.#removed,
      this.#changed,
    ];
  }

  get all(): readonly Project[] {
    return [...this.#byRoot.values()];
  }

  /** The project of the file in front, else the only or first one. */
  get current(): Project | undefined {
    const uri = vscode.window.activeTextEditor?.document.uri;
    return (uri && this.of(uri)) ?? this.all[0];
  }

  of(uri: vscode.Uri): Project | undefined {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    return folder && this.#byRoot.get(pathsOf(folder, userHome(this.services.env)).root);
  }

  byId(id: string): Project | undefined {
    return this.#byRoot.get(id);
  }

  /** Makes the set of projects fit the workspace's folders. */
  async update(): Promise<void> {
    const wanted = new Map<string, { paths: ProjectPaths; name: string }>();
    for (const folder of vscode.workspace.workspaceFolders ?? []) {
      if (folder.uri.scheme !== 'file') continue;
      const paths = pathsOf(folder, userHome(this.services.env));
      if (!wanted.has(paths.root)) wanted.set(paths.root, { paths, name: folder.name });
    }
    for (const [root, project] of [...this.#byRoot]) if (!wanted.has(root)) this.#remove(root, project);
    const fresh = [...wanted].filter(([root]) => !this.#byRoot.has(root));
    for (const [root, { paths, name }] of fresh) this.#add(root, new Project(paths, name, this.services));
    this.#changed.fire(undefined);
    await Promise.all(fresh.map(([root]) => this.#byRoot.get(root)?.refresh() ?? Promise.resolve()));
  }

  async refreshAll(): Promise<void> {
    await Promise.all(this.all.map((project) => project.refresh()));
  }

  /** Whoever waits before the next attempt tries now. */
  nudgeAll(): void {
    for (const project of this.all) project.nudge();
  }

  /** Ends every connection; resolves when all are closed. */
  async close(): Promise<void> {
    await Promise.all(this.all.map((project) => project.close()));
  }

  dispose(): void {
    for (const project of this.all) project.dispose();
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  #add(root: string, project: Project): void {
    this.#byRoot.set(root, project);
    project.onDidChange(() => this.#changed.fire(undefined));
    this.#added.fire(project);
  }

  #remove(root: string, project: Project): void {
    this.#byRoot.delete(root);
    this.#removed.fire(project);
    project.dispose();
  }
}
