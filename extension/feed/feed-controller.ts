/** Joins the projects to the feed: what they bring goes into the model, what was read is remembered, states are shown. */
import type * as vscode from 'vscode';
import type { StoredEntry } from '../../core/entry';
import type { Project } from '../project/project';
import type { Projects } from '../project/projects';
import { cachedNote, feedState } from '../project/status';
import type { FeedModel, ReadMark } from './feed-model';
import { toFeedEntry } from './feed-model';
import type { FeedView } from './feed-view';

const EVERYTHING_READ: ReadMark = { upTo: Number.MAX_SAFE_INTEGER, beyond: [] };
/** Of entries read one by one beyond the mark. */
const MAX_REMEMBERED = 1_000;

function parseMark(value: unknown): ReadMark | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { upTo, beyond } = value as Record<string, unknown>;
  if (typeof upTo !== 'number' || !Array.isArray(beyond)) return undefined;
  return { upTo, beyond: beyond.filter((each): each is string => typeof each === 'string') };
}

export class FeedController {
  readonly #model: FeedModel;

  constructor(
    private readonly view: FeedView,
    private readonly projects: Projects,
    private readonly memory: vscode.Memento,
    private readonly isTrusted: () => boolean,
  ) {
    this.#model = view.model;
    projects.onDidAdd((project) => this.#join(project));
    projects.onDidRemove((project) => {
      this.#model.remove(project.id);
      view.changed();
    });
    projects.onDidChange(() => this.#showState());
    this.#showState();
  }

  /** Reads the files again, and shows what waits. */
  async refresh(): Promise<void> {
    await this.projects.refreshAll();
    for (const project of this.projects.all) {
      project.nudge();
      this.#load(project, await project.readMirror());
    }
    this.view.showHeld();
  }

  markRead(id: string): void {
    this.#model.markRead(id);
    this.#readChanged();
  }

  markAllRead(): void {
    for (const project of this.projects.all) this.#model.markAllRead(project.id);
    this.#readChanged();
  }

  #join(project: Project): void {
    this.#model.reset(project.id, [], EVERYTHING_READ);
    project.onDidLoad((entries) => this.#load(project, entries));
    project.onDidReceive((entries) => this.#receive(project, entries));
    project.onDidChange(() => this.#noteFirstLive(project));
  }

  #load(project: Project, entries: readonly StoredEntry[]): void {
    this.#model.reset(project.id, entries.map(toFeedEntry), this.#remembered(project) ?? EVERYTHING_READ);
    this.#changed();
  }

  #receive(project: Project, entries: readonly StoredEntry[]): void {
    this.#model.arrive(project.id, entries.map(toFeedEntry));
    this.#changed();
  }

  /** What was on the hub before this project ever listened is history, not news. */
  #noteFirstLive(project: Project): void {
    const { status } = project;
    if (status.kind !== 'connected' || status.sync.phase !== 'live' || this.#remembered(project) !== undefined) return;
    const mark = { upTo: status.sync.cursor?.sequence ?? 0, beyond: [] };
    this.#model.setReadMark(project.id, mark);
    void this.memory.update(this.#key(project), mark);
    this.#changed();
  }

  #readChanged(): void {
    for (const project of this.projects.all) {
      if (this.#remembered(project) === undefined) continue;
      const { upTo, beyond } = this.#model.readMark(project.id);
      void this.memory.update(this.#key(project), { upTo, beyond: beyond.slice(-MAX_REMEMBERED) });
    }
    this.#changed();
  }

  #changed(): void {
    this.view.changed();
    this.#showState();
  }

  #showState(): void {
    const statuses = this.projects.all.map((project) => project.status);
    const state = feedState(statuses, this.isTrusted());
    this.view.setState(state, this.#model.isEmpty ? undefined : cachedNote(state));
  }

  /** A mark belongs to one hub's sequences. */
  #key(project: Project): string {
    return `read:${project.id}:${project.connection?.hubId ?? ''}`;
  }

  #remembered(project: Project): ReadMark | undefined {
    return parseMark(this.memory.get(this.#key(project)));
  }
}
