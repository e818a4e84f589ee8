/** Reads waiting for a majority to confirm that their leader still leads (thesis §6.4, steps 2 and 3). */
import type { NodeId } from './entry';

export interface ReadRequest {
  /** Who asked; the leader itself or a follower that passed it on. */
  readonly from: NodeId;
  /** Unique per request. */
  readonly read: string;
}

export interface ConfirmedRead extends ReadRequest {
  /** What must be applied before the read is answered. */
  readonly index: number;
}

interface WaitingRead extends ConfirmedRead {
  readonly confirmedBy: Map<NodeId, boolean>;
}

export class ReadQueue {
  private waiting: WaitingRead[] = [];

  get size(): number {
    return this.waiting.length;
  }

  /** The youngest: a heartbeat that carries it confirms all older ones too. */
  get latest(): string | undefined {
    return this.waiting.at(-1)?.read;
  }

  add(request: ReadRequest, index: number): void {
    if (this.waiting.some(({ read }) => read === request.read)) return;
    this.waiting.push({ ...request, index, confirmedBy: new Map() });
  }

  /** Who has confirmed `read` by now. */
  confirm(read: string, by: NodeId): ReadonlyMap<NodeId, boolean> {
    const found = this.waiting.find((each) => each.read === read);
    found?.confirmedBy.set(by, true);
    return found?.confirmedBy ?? new Map<NodeId, boolean>();
  }

  /** Takes out `read` and everything that waited longer. */
  takeThrough(read: string): readonly ConfirmedRead[] {
    const at = this.waiting.findIndex((each) => each.read === read);
    return this.waiting.splice(0, at + 1);
  }
}
