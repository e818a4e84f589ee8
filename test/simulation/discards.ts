/**
 * What a simulated server has to discard, as the hub's driver keeps it (I9): durable before it goes, judged when the server has caught up.
 * The two files outlive the process; a power cut takes what was not synced, and may bring a removed file back.
 */
import type { DriverBug } from './bugs';
import type { History } from './history';
import type { Random } from './random';

const FULL_DISK_RETRY_MS = 150;
const SETTLE_MS = 2_000;

class IdFile {
  ids: string[] = [];
  private durable: readonly string[] = [];

  add(ids: readonly string[]): void {
    this.ids.push(...ids);
  }

  sync(): void {
    this.durable = [...this.ids];
  }

  /** Its folder is not synced after that. */
  remove(): void {
    this.ids = [];
  }

  holdsDurably(id: string): boolean {
    return this.durable.includes(id);
  }

  powerCut(random: Random): void {
    const more = this.ids.slice(this.durable.length);
    const isRemoved = this.ids.length < this.durable.length;
    if (isRemoved && random.chance(0.5)) this.durable = [];
    this.ids = [...this.durable, ...(isRemoved ? [] : more.slice(0, random.between(0, more.length)))];
    this.sync();
  }
}

export class DiscardFiles {
  readonly pending = new IdFile();
  readonly rejected = new IdFile();

  powerCut(random: Random): void {
    this.pending.powerCut(random);
    this.rejected.powerCut(random);
  }

  holdsDurably(id: string): boolean {
    return this.pending.holdsDurably(id) || this.rejected.holdsDurably(id);
  }
}

export interface DiscardHost {
  readonly server: number;
  readonly files: DiscardFiles;
  readonly later: (ms: number, run: () => void) => void;
  readonly random: Random;
  readonly bugs: ReadonlySet<DriverBug>;
  readonly isFull: () => boolean;
  /** Ids in this server's log. */
  readonly known: () => readonly string[];
  /** Calls back when this server has applied all that was committed when it asked; or never. */
  readonly whenCaughtUp: (then: () => void) => void;
  readonly history: History;
  readonly counted: (what: string) => void;
}

/** Of one life of a server. */
export class Discards {
  private readonly turns: ((done: () => void) => void)[] = [];
  private busy = false;
  private kept = 0;
  private timers = 0;

  constructor(private readonly host: DiscardHost) {}

  keep(ids: readonly string[], done: () => void): void {
    if (ids.length === 0) return done();
    this.kept += 1;
    this.host.counted('discarded');
    this.inTurn((next) =>
      this.write(() => {
        this.host.files.pending.add(ids);
        this.host.later(this.host.random.between(1, 4), () => {
          if (!this.host.bugs.has('keeps-without-sync')) this.host.files.pending.sync();
          done();
          next();
          this.settleLater();
        });
      }),
    );
  }

  settleLater(): void {
    const timer = (this.timers += 1);
    this.host.later(SETTLE_MS, () => {
      if (timer === this.timers) this.settle();
    });
  }

  private settle(): void {
    const { files, bugs, history, whenCaughtUp } = this.host;
    if (files.pending.ids.length === 0) return;
    // Asked again when nobody answers.
    this.settleLater();
    const { kept } = this;
    const asked = history.appliedSoFar;
    const judge = (): void =>
      this.inTurn((next) => {
        if (kept === this.kept) this.judge(asked, next);
        else next();
      });
    if (bugs.has('judges-without-asking')) judge();
    else whenCaughtUp(judge);
  }

  private judge(asked: number, next: () => void): void {
    const { server, files, known, history } = this.host;
    const [committed, noted] = [new Set(known()), new Set(files.rejected.ids)];
    const rejected = [...new Set(files.pending.ids)].filter((id) => !committed.has(id) && !noted.has(id));
    for (const id of rejected) history.rejects(server, id, asked);
    this.write(() => {
      files.rejected.add(rejected);
      this.host.later(this.host.random.between(1, 4), () => {
        files.rejected.sync();
        files.pending.remove();
        if (rejected.length > 0) this.host.counted('rejected');
        next();
      });
    });
  }

  private write(run: () => void): void {
    if (this.host.isFull()) this.host.later(FULL_DISK_RETRY_MS, () => this.write(run));
    else run();
  }

  private inTurn(work: (done: () => void) => void): void {
    this.turns.push(work);
    if (!this.busy) this.next();
  }

  private next(): void {
    const work = this.turns.shift();
    this.busy = work !== undefined;
    work?.(() => this.next());
  }
}
