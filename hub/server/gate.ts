/**
 * The gate: who may open a session or ask a question over HTTP. Host and origin first, then the token; a fault of
 * authentication is answered in one way only, later and later for those who guess (S05–S08, S16).
 */
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { Audit } from '../audit';
import { FREE_AUTH_FAILURES_PER_MINUTE, MAX_DELAYED_AUTH_FAILURES } from '../limits';
import type { AuthThrottle } from './auth-throttle';
import type { Authenticator, Identity } from './authenticator';
import type { RefusalStatus } from './http-answers';
import { refusedByGuard, type WebGuard } from './web-guard';

export class Gate {
  private delayed = 0;

  constructor(
    private readonly guard: WebGuard,
    private readonly auth: Authenticator,
    private readonly throttle: AuthThrottle,
    private readonly audit: Audit,
    private readonly log: Logger,
  ) {}

  /** Whether a browser's rules let the request in at all. */
  passesGuard(request: IncomingMessage): boolean {
    const { host, origin } = request.headers;
    const why = refusedByGuard(this.guard, { host, origin }, request.socket.localAddress);
    if (why === undefined) return true;
    const from = request.socket.remoteAddress ?? '';
    this.audit.note('web_refused', { why, from, host: host ?? '', origin: origin ?? '' });
    this.log.warn({ why, from }, 'a web request was refused');
    return false;
  }

  identify(request: IncomingMessage): Identity | undefined {
    return this.auth.authenticate(request.headers.authorization);
  }

  /** Calls back when the failure may be answered; `drop` when too many wait already. */
  failed(request: IncomingMessage, answer: (status: RefusalStatus) => void, drop: () => void): void {
    const from = request.socket.remoteAddress ?? '';
    const failures = this.throttle.fail(from, performance.now());
    this.note(from, failures);
    const delayMs = this.throttle.delayMs(failures);
    if (delayMs === 0) return answer(401);
    if (this.delayed >= MAX_DELAYED_AUTH_FAILURES) return drop();
    this.delayed++;
    setTimeout(() => {
      this.delayed--;
      answer(401);
    }, delayMs).unref();
  }

  /** A flood must not fill the disk: its first lines tell the story. */
  private note(from: string, failures: number): void {
    if (failures <= FREE_AUTH_FAILURES_PER_MINUTE) {
      this.audit.note('auth_failed', { from });
      this.log.warn({ from }, 'authentication failed');
    } else if (failures === FREE_AUTH_FAILURES_PER_MINUTE + 1) {
      this.audit.note('auth_failures_suppressed', { from });
      this.log.warn(
        { from },
        'authentication keeps failing: further failures of this minute are answered late and not logged',
      );
    }
  }
}
