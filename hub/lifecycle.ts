/**
 * A hub's life: directory, lock, log, port, hub.json, and all of it back in reverse. Returns once it serves; whoever starts
 * it decides when it stops.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { HubError } from '../core/errors';
import { adminTokenPath, makeAdminToken, openAdminToken, type AdminToken } from './admin-token';
import { openAudit, type Audit } from './audit';
import { processStartTime } from '../core/node/platform';
import { openCertificate, type Certificate } from './certificate';
import { watchCertificate } from './certificate-watch';
import type { HubConfig } from './config';
import { FormingHub } from './forming-hub';
import { controlActions } from './control';
import { openEngine } from './engine/open-engine';
import type { HubParts } from './hub-parts';
import { watchHealth, type Reported } from './health';
import { removeHubFile, writeHubFile } from '../core/node/local-hub/hub-file';
import { RunningHub } from './running-hub';
import { mintToken, type MintedToken } from './server/secrets';
import { prepareDataDirectory } from './store/data-directory';
import { lockDataDirectory } from './store/lock';
import { nodeDisk } from './store/node-disk';

export interface StartedHub {
  readonly address: string;
  readonly dataDir: string;
  /** Of the certificate, when it serves TLS. */
  readonly fingerprint: string | undefined;
  /** The admin token when this start made it: to be shown once. */
  readonly adminToken: string | undefined;
  readonly adminTokenFile: string;
  /** Aborted when local control asks the hub to stop. */
  readonly stopRequested: AbortSignal;
  readonly stop: () => Promise<void>;
}

export interface StartOptions {
  readonly config: HubConfig;
  readonly version: string;
  /** @param failed told when a line could not be written */
  readonly openLog: (failed: (error: Error) => void) => Logger;
  /** How much of a long log was read before the hub serves. */
  readonly onProgress: (doneBytes: number, allBytes: number) => void;
  /** Whom the first start of a node waits for, in words. */
  readonly onWaiting: (message: string) => void;
  /** Aborted when the start is called off. */
  readonly signal: AbortSignal;
  /** A bug: log it and end the process, acknowledging nothing more. */
  readonly crash: (error: unknown) => void;
}

/** What is open, to be closed in reverse order whatever happens. */
class Cleanup {
  private readonly steps: (() => void | Promise<void>)[] = [];

  add(step: () => void | Promise<void>): void {
    this.steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.steps.splice(0).reverse()) await step();
  }
}

export async function startHub(options: StartOptions): Promise<StartedHub> {
  const cleanup = new Cleanup();
  try {
    return await open(options, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

/** One run of a hub, from before it serves to its end. */
interface Run {
  readonly nonce: string;
  readonly control: MintedToken;
  /** Asked for over local control. */
  readonly stop: AbortController;
  /** @param waiting for what, when it does not serve yet */
  readonly writeFile: (
    at: { readonly address: string; readonly port: number; readonly waiting?: string },
    certificate: Certificate | undefined,
  ) => Promise<void>;
}

function newRun({ config, version }: StartOptions): Run {
  const nonce = randomBytes(16).toString('hex');
  const control = mintToken('ctl');
  return {
    ...{ nonce, control, stop: new AbortController() },
    writeFile: (at, certificate) =>
      writeHubFile(config.dataDir, {
        ...{ pid: process.pid, nonce, version, ...at },
        started_at: new Date().toISOString(),
        process_start: processStartTime(process.pid),
        control_token: control.text(),
        fingerprint: certificate?.fingerprint,
      }),
  };
}

/** What a hub stands on before it serves. */
interface Ground {
  readonly log: Logger;
  readonly audit: Audit;
  readonly reported: Reported;
  readonly parts: HubParts;
  readonly admin: AdminToken;
  readonly certificate: Certificate | undefined;
}

async function prepare(options: StartOptions, run: Run, cleanup: Cleanup): Promise<Ground> {
  const { tls, dataDir } = options.config;
  process.umask(0o077);
  await prepareDataDirectory(nodeDisk, dataDir);
  const lock = await lockDataDirectory(dataDir);
  cleanup.add(lock.release);
  const reported: Reported = new Map();
  const log = options.openLog((error) => reported.set('log', `The hub's log cannot be written: ${error.message}.`));
  const audit = openAudit(dataDir, (error) =>
    reported.set('audit', `audit.jsonl cannot be written: ${String(error)}.`),
  );
  cleanup.add(audit.close);
  // Before the log is read, which may take a while: a wrong certificate is told at once.
  const certificate = tls === undefined ? undefined : await openCertificate(tls, dataDir);
  const forming = new FormingHub({
    ...{ config: options.config, nonce: run.nonce, control: run.control, audit, log, crash: options.crash },
    onWaiting: options.onWaiting,
    writeFile: (at) => run.writeFile(at, certificate),
    stop: () => run.stop.abort(),
  });
  const parts = await openEngine({
    ...{ config: options.config, version: options.version, crash: options.crash, forming },
    signal: AbortSignal.any([options.signal, run.stop.signal]),
    certificate: () => certificate,
    warn: (message) => log.warn(message),
    onProgress: options.onProgress,
  });
  cleanup.add(() => parts.engine.close());
  const admin = await openAdminToken(dataDir);
  if (admin.made !== undefined) audit.note('admin_token_made', { token_id: admin.kept.id });
  return { log, audit, reported, parts, admin, certificate };
}

async function open(options: StartOptions, cleanup: Cleanup): Promise<StartedHub> {
  const { config, version } = options;
  const { dataDir } = config;
  const run = newRun(options);
  const { nonce, control, stop } = run;
  const ground = await prepare(options, run, cleanup);
  const { log, audit, parts, admin } = ground;
  const health = watchHealth(parts, dataDir, ground.reported);
  cleanup.add(health.close);
  const hub = new RunningHub({
    ...{ config, version, nonce, parts, health, control, audit, log, certificate: ground.certificate },
    admin: admin.kept,
    crash: options.crash,
    controlActions: (running) =>
      controlActions({
        clients: running.clients,
        parts,
        audit,
        stop: () => stop.abort(),
        rotateAdmin: () => rotateAdmin(running, dataDir, audit),
      }),
  });
  // Closing the hub closes its server and engine, in the right order.
  cleanup.add(() => hub.close());
  const port = await hub.listen(config.host, config.port);
  const writeFile = (certificate: Certificate | undefined): Promise<void> =>
    run.writeFile({ address: hub.address, port }, certificate);
  await writeFile(ground.certificate);
  cleanup.add(() => removeHubFile(dataDir));
  cleanup.add(keepCertificate(config, ground, hub, writeFile));
  if (config.insecure) log.warn({ host: config.host }, 'listening without TLS: tokens and entries travel in clear');
  audit.note('hub_start', { version, address: hub.address });
  log.info({ version, address: hub.address, data_dir: dataDir, head: parts.reader.head().sequence }, 'hub started');
  cleanup.add(() => audit.note('hub_stop'));
  return {
    address: hub.address,
    dataDir,
    fingerprint: ground.certificate?.fingerprint,
    adminToken: admin.made,
    adminTokenFile: adminTokenPath(dataDir),
    stopRequested: stop.signal,
    stop: async () => {
      log.info('hub stopping');
      await cleanup.run();
      log.info('hub stopped');
    },
  };
}

/** Takes up renewed certificates. @returns a function that ends it */
function keepCertificate(
  config: HubConfig,
  ground: Ground,
  hub: RunningHub,
  writeFile: (certificate: Certificate) => Promise<void>,
): () => void {
  if (config.tls === undefined || ground.certificate === undefined) return () => undefined;
  return watchCertificate(config.tls, config.dataDir, ground.certificate, ground.reported, async (certificate) => {
    hub.replaceCertificate(certificate);
    await writeFile(certificate);
  });
}

async function rotateAdmin(hub: RunningHub, dataDir: string, audit: Audit): Promise<{ readonly token: string }> {
  const { kept, made } = await makeAdminToken(dataDir);
  if (made === undefined) throw new HubError('internal', 'No token was made.');
  hub.replaceAdmin(kept);
  audit.note('admin_token_made', { token_id: kept.id });
  return { token: made };
}
