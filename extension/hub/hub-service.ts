/** The local hub as this window sees it: with the editor's settings, and the memory of whether the user wants it running. */
import fs from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { ctxHome } from '../../core/node/ctx-home';
import { errnoOf } from '../../core/node/file-errors';
import { CONTEXT_KEYS } from '../names';
import { inform } from '../notify';
import { setting } from '../settings';
import { copyBundles } from './bundle-copy';
import {
  ensureLocalHub,
  findRunningHub,
  readAdminToken,
  stopLocalHub,
  type LocalHubOptions,
  type RunningHub,
} from './local-hub';
import { isOlder } from './version';

const WANTED = 'localHubWanted';
/** Version of which the user has been told that the running hub is not. */
const SKEW_TOLD = 'versionSkewTold';

export class HubService {
  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    readonly version: string,
  ) {}

  get dataDir(): string {
    const own = setting('ctxHub.localHub.dataDirectory').trim();
    return own === '' ? path.join(ctxHome(process.env), 'hub-data') : path.resolve(own);
  }

  find(): Promise<RunningHub | undefined> {
    return findRunningHub(this.dataDir);
  }

  /** Starts it when it does not run. From now on it is wanted: after a reboot it is started again on demand. */
  async start(): Promise<RunningHub> {
    await this.context.globalState.update(WANTED, true);
    this.#leave(false);
    const progress = { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Starting the local hub') };
    const hub = await vscode.window.withProgress(progress, () => ensureLocalHub(this.#options()));
    this.log.info(`the local hub runs on ${hub.address} (pid ${hub.pid}, version ${hub.version})`);
    return hub;
  }

  /** @returns whether one was running. Stopped on request, it stays stopped. */
  async stop(): Promise<boolean> {
    await this.context.globalState.update(WANTED, false);
    this.#leave(true);
    return stopLocalHub(this.#options());
  }

  /** Brings back a hub that the user wants and that a reboot has ended. */
  async startOnDemand(): Promise<RunningHub | undefined> {
    const wanted = this.context.globalState.get(WANTED) === true && setting('ctxHub.localHub.startOnDemand');
    if (wanted && vscode.workspace.isTrusted) return this.start();
    this.log.info('the local hub does not run and is left as it is');
    this.#leave(true);
    return undefined;
  }

  /** After an update of the extension the hub still runs as it was: the user says when it changes. */
  async offerRestart(running: RunningHub): Promise<void> {
    const told = this.context.globalState.get(SKEW_TOLD) === this.version;
    // A newer one is another editor's: to go back might not even read its data.
    if (told || !isOlder(running.version, this.version)) return;
    await this.context.globalState.update(SKEW_TOLD, this.version);
    await inform(
      vscode.l10n.t(
        'The local hub still runs version {0}; this extension is {1}. A restart loses nothing.',
        running.version,
        this.version,
      ),
      {
        title: vscode.l10n.t('Restart the Hub'),
        run: async () => {
          await stopLocalHub(this.#options());
          await this.start();
        },
      },
    );
  }

  /** Id of the hub whose data is on this machine. */
  async localId(): Promise<string | undefined> {
    try {
      return (await fs.readFile(path.join(this.dataDir, 'hub.id'), 'utf8')).trim();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Whether the hub with this id has its data on this machine. */
  async isLocal(hubId: string): Promise<boolean> {
    return (await this.localId()) === hubId;
  }

  /** Where the hub with this id is, when it is the local one and runs. */
  async localAddress(hubId: string): Promise<string | undefined> {
    return (await this.isLocal(hubId)) ? (await this.find())?.address : undefined;
  }

  adminToken(): Promise<string | undefined> {
    return readAdminToken(this.dataDir);
  }

  /** Puts `ctx` on the PATH of integrated terminals. */
  async offerCommandLine(): Promise<void> {
    const { distDir, home, version } = this.#options();
    const { binDir } = await copyBundles(distDir, home, version);
    const variables = this.context.environmentVariableCollection;
    variables.description = vscode.l10n.t('Adds the command ctx');
    variables.prepend('PATH', binDir + path.delimiter);
  }

  /** The welcome text says whether one has to wait for the hub or to start it. */
  #leave(left: boolean): void {
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.localHubLeft, left);
  }

  #options(): LocalHubOptions {
    return {
      distDir: path.join(this.context.extensionPath, 'dist'),
      home: ctxHome(process.env),
      dataDir: this.dataDir,
      port: setting('ctxHub.localHub.port'),
      version: this.version,
      log: (line) => this.log.info(line),
    };
  }
}
