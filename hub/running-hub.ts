/** Joins the parts of a hub into one that serves: log, clients, feed, gate, server. Everything that opens here closes here. */
import type { Logger } from 'pino';
import { hubUrl } from '../core/hub-address';
import { MAX_BATCH_ENTRIES, MAX_CONTENT_BYTES, MAX_FRAME_BYTES, HEARTBEAT_INTERVAL_MS } from '../core/limits';
import { PROTOCOL_VERSION, type Hello, type StatusInfo } from '../core/wire';
import type { Audit } from './audit';
import type { Certificate } from './certificate';
import type { HubConfig } from './config';
import type { HealthWatch } from './health';
import type { HubParts } from './hub-parts';
import { instanceOf } from '../core/node/local-hub/instance';
import { AuthThrottle } from './server/auth-throttle';
import { Authenticator, type Identity, type KeptToken, type SessionIdentity } from './server/authenticator';
import { clientAdmin, type ClientAdmin } from './server/client-admin';
import { Feed } from './server/feed';
import { Gate } from './server/gate';
import type { ControlAction } from './server/http-routes';
import { bytesSent, HubServer } from './server/hub-server';
import { Metrics } from './server/metrics';
import { PublishRate } from './server/publish-rate';
import type { SessionContext } from './server/session';
import { SessionTable } from './server/session-table';

export interface RunningHubParts {
  readonly config: HubConfig;
  readonly version: string;
  readonly nonce: string;
  readonly parts: HubParts;
  readonly health: HealthWatch;
  readonly certificate: Certificate | undefined;
  readonly admin: KeptToken;
  readonly control: KeptToken;
  readonly audit: Audit;
  readonly log: Logger;
  readonly controlActions: (hub: RunningHub) => ReadonlyMap<string, ControlAction>;
  readonly crash: (error: unknown) => void;
}

/** How often open sessions are held against what this node may still vouch for. */
const TRUST_CHECK_MS = 500;

const rfc3339 = (): string => new Date().toISOString();

export class RunningHub {
  readonly clients: ClientAdmin;
  readonly auth: Authenticator;
  private readonly feed: Feed;
  private readonly sessions: SessionTable;
  private readonly server: HubServer;
  private readonly metrics = new Metrics();
  private readonly startedAt = rfc3339();
  private readonly instance: string;
  private readonly trustCheck: NodeJS.Timeout;
  private stopping = false;
  /** `ws://host:port`, or `wss://…`, once listening. */
  address = '';

  constructor(private readonly given: RunningHubParts) {
    const { parts, audit, log, config } = given;
    this.instance = instanceOf(given.nonce);
    this.feed = new Feed(parts.reader);
    this.auth = new Authenticator(parts.clients, given.admin, given.control);
    this.sessions = new SessionTable(
      bytesSent,
      (session, why) => {
        log.info({ client_id: session.identity.id, why }, 'session cut');
        session.socket.terminate();
      },
      () => this.feed.tellCursors(),
    );
    this.clients = clientAdmin({
      ...{ engine: parts.engine, clients: parts.clients, audit, now: rfc3339 },
      needsApproval: config.approveRegistrations,
      changed: () => this.sessions.recheck(),
    });
    parts.cluster?.onClients(() => this.sessions.recheck());
    this.trustCheck = setInterval(() => {
      if (parts.cluster?.distrust() !== undefined) this.sessions.recheck();
    }, TRUST_CHECK_MS).unref();
    const gate = new Gate(config.guard, this.auth, new AuthThrottle(), audit, log);
    this.server = new HubServer({
      gate,
      limits: config.limits,
      certificate: given.certificate,
      sessions: this.sessions,
      context: this.sessionContext(),
      log,
      peers: parts.cluster?.door,
      routes: {
        gate,
        health: () => ({ ok: true, degraded: given.health.problems().length > 0, instance: this.instance }),
        isReady: () => !this.stopping && parts.engine.status().writeFault === undefined,
        status: (identity) => this.status(identity),
        metrics: () => this.metricsText(),
        control: given.controlActions(this),
        crash: given.crash,
      },
    });
  }

  async listen(host: string, port: number): Promise<number> {
    const bound = await this.server.listen(host, port);
    this.address = hubUrl({ secure: this.given.certificate !== undefined, host, port: bound });
    return bound;
  }

  status(identity: Identity): StatusInfo {
    const { parts, config, version, health } = this.given;
    const { engine, role, head } = parts.engine.status();
    return {
      hub: parts.reader.hubId,
      instance: this.instance,
      version,
      engine,
      role,
      head,
      address: this.address,
      ...(identity.kind === 'client' ? {} : { data_dir: config.dataDir }),
      pid: process.pid,
      started_at: this.startedAt,
      sessions: this.sessions.size,
      listeners: this.feed.counts().listeners,
      clients: this.activeClients(),
      problems: health.problems(),
    };
  }

  replaceCertificate(certificate: Certificate): void {
    this.server.replaceCertificate(certificate);
    this.given.log.info({ fingerprint: certificate.fingerprint }, 'certificate renewed');
  }

  /** The operator's token was replaced: sessions with the old one end. */
  replaceAdmin(admin: KeptToken): void {
    this.auth.replaceAdmin(admin);
    this.sessions.recheck();
  }

  /** Acknowledges what is under way, ends sessions, closes the log. */
  async close(): Promise<void> {
    await this.given.parts.engine.handOver?.();
    this.stopping = true;
    clearInterval(this.trustCheck);
    await this.server.close('The hub is stopping. It is back in a moment, or go to another address of it.');
    this.feed.close();
    await this.given.parts.engine.close();
  }

  private activeClients(): number {
    return this.given.parts.clients.list().filter((record) => record.revoked_at === undefined).length;
  }

  private sessionContext(): SessionContext {
    const { parts, config, crash } = this.given;
    return {
      parts,
      feed: this.feed,
      auth: this.auth,
      admin: this.clients,
      rate: new PublishRate(config.limits),
      limits: config.limits,
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      hello: (identity) => this.hello(identity),
      status: (identity) => this.status(identity),
      isStopping: () => this.stopping,
      distrust: () => parts.cluster?.distrust(),
      elsewhere: () => parts.cluster?.elsewhere() ?? [],
      count: (event, code) => {
        if (event === 'request') this.metrics.count('requests_total');
        else this.metrics.count('errors_total', `code="${code ?? 'internal'}"`);
      },
      crash,
    };
  }

  private hello(identity: SessionIdentity): Hello {
    const { parts } = this.given;
    return {
      kind: 'hello',
      versions: [PROTOCOL_VERSION],
      hub: parts.reader.hubId,
      role: parts.engine.status().role,
      instance: this.instance,
      head: parts.reader.head(),
      limits: {
        frame_bytes: MAX_FRAME_BYTES,
        content_bytes: MAX_CONTENT_BYTES,
        batch_entries: MAX_BATCH_ENTRIES,
        heartbeat_ms: HEARTBEAT_INTERVAL_MS,
      },
      cluster: parts.cluster?.addresses() ?? [],
      identity:
        identity.kind === 'client'
          ? { kind: 'client', project: identity.project, client: identity.client }
          : { kind: 'admin' },
      access: this.auth.access(identity),
      time: rfc3339(),
    };
  }

  private metricsText(): string {
    const { parts } = this.given;
    const { engine } = parts;
    const feed = this.feed.counts();
    const gauges = {
      sessions: this.sessions.size,
      listeners: feed.listeners,
      lagging_listeners: feed.lagging,
      unauthenticated_connections: this.server.unauthenticated,
      clients: this.activeClients(),
      log_sequence: engine.status().head.sequence,
      write_fault: engine.status().writeFault === undefined ? 0 : 1,
      memory_rss_bytes: process.memoryUsage.rss(),
    };
    return this.metrics.text(gauges, feed.frames);
  }
}
