/** All open sessions: how many each token has, whether they still live, and how they end when the hub does. */
import type { WebSocket } from 'ws';
import { HEARTBEAT_INTERVAL_MS, HEARTBEAT_TIMEOUT_MS } from '../../core/limits';
import { CLOSE_TIMEOUT_MS, STALLED_LISTENER_MS } from '../limits';
import type { SessionIdentity } from './authenticator';
import type { Session } from './session';

/** Silence is looked for more often than pings are sent: FM-11 asks for 30 s at most, whenever in the interval it began. */
const CHECKS_PER_BEAT = 3;
const CHECK_INTERVAL_MS = HEARTBEAT_INTERVAL_MS / CHECKS_PER_BEAT;
/** The next check would come too late. */
const SILENT_MS = HEARTBEAT_TIMEOUT_MS - CHECK_INTERVAL_MS;

interface Member {
  readonly session: Session;
  readonly ws: WebSocket;
  heardAt: number;
  /** Bytes that had left for the other side when last looked at, and since when that has not changed. */
  sentBytes: number;
  sentAt: number;
}

/** Bytes written minus bytes still waiting. */
export type SentBytes = (ws: WebSocket) => number;

export class SessionTable {
  private readonly members = new Map<Session, Member>();
  private readonly perToken = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  /** @param onBeat called with each heartbeat */
  constructor(
    private readonly sentBytes: SentBytes,
    private readonly cut: (session: Session, why: string) => void,
    onBeat: () => void,
  ) {
    let checks = 0;
    this.timer = setInterval(() => {
      const isBeat = ++checks % CHECKS_PER_BEAT === 0;
      this.check(performance.now(), isBeat);
      if (isBeat) onBeat();
    }, CHECK_INTERVAL_MS);
  }

  get size(): number {
    return this.members.size;
  }

  countOf(identity: SessionIdentity): number {
    return this.perToken.get(identity.id) ?? 0;
  }

  add(session: Session, ws: WebSocket): void {
    const now = performance.now();
    const member: Member = { session, ws, heardAt: now, sentBytes: 0, sentAt: now };
    this.members.set(session, member);
    const { id } = session.identity;
    this.perToken.set(id, (this.perToken.get(id) ?? 0) + 1);
    const heard = (): void => void (member.heardAt = performance.now());
    ws.on('message', heard).on('pong', heard).on('ping', heard);
  }

  remove(session: Session): void {
    if (!this.members.delete(session)) return;
    const { id } = session.identity;
    const left = (this.perToken.get(id) ?? 1) - 1;
    if (left === 0) this.perToken.delete(id);
    else this.perToken.set(id, left);
  }

  /** After tokens were revoked or replaced. */
  recheck(): void {
    for (const session of this.members.keys()) session.recheck();
  }

  /** Waits for what is under way, says goodbye, and waits until all are gone. */
  async drain(message: string): Promise<void> {
    await Promise.all([...this.members.keys()].map((session) => session.whenIdle()));
    for (const session of this.members.keys()) session.goAway(message);
    const deadline = performance.now() + CLOSE_TIMEOUT_MS;
    while (this.members.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    for (const session of this.members.keys()) session.socket.terminate();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private check(now: number, isBeat: boolean): void {
    for (const member of this.members.values()) {
      const sent = this.sentBytes(member.ws);
      if (sent !== member.sentBytes) {
        member.sentBytes = sent;
        member.sentAt = now;
      }
      const unsent = member.session.socket.unsentBytes();
      // Behind a full socket no ping gets through: there only bytes that leave prove life.
      if (unsent > 0 && now - member.sentAt > STALLED_LISTENER_MS) this.cut(member.session, 'stalled');
      else if (unsent === 0 && now - member.heardAt > SILENT_MS) this.cut(member.session, 'silent');
      else if (isBeat) member.ws.ping();
    }
  }
}
