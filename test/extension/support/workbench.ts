/**
 * A real VS Code workbench for tests: the VS Code server from npm as a process of its own, and headless Chromium pages as
 * its windows. Everything it writes is below one temporary folder, HOME included.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { isProcessAlive } from '../../../core/node/platform';
import { until } from '../../support/processes';
import { readHub } from './hub';

export interface ServerInstall {
  /** `server-main.js` of the VS Code server. */
  readonly main: string;
  /** The Node to run it with. */
  readonly node: string;
}

export interface WorkbenchOptions {
  readonly install: ServerInstall;
  readonly chrome: string;
  /** Installed before the server starts. */
  readonly vsix?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Settings of the machine: where those that a workspace must not touch are read from. */
  readonly machineSettings?: Readonly<Record<string, unknown>>;
  /**
   * Lets a window load an extension under development and run tests. Newer servers want this flag for it; the same flag
   * hides notifications, so a run that looks at the screen goes without.
   */
  readonly development?: boolean;
  /** Ask whether a folder is trusted, as a user's editor does. */
  readonly workspaceTrust?: boolean;
}

export interface WindowOptions {
  /** A folder, or a `.code-workspace` file. */
  readonly open: string;
  readonly payload?: readonly (readonly [string, string])[];
  /** Before the page goes to the workbench. */
  readonly prepare?: (page: Page) => Promise<void>;
}

export interface Workbench {
  /** Holds everything this run writes. */
  readonly dir: string;
  readonly home: string;
  readonly log: () => string;
  readonly uri: (file: string) => string;
  readonly openWindow: (options: WindowOptions) => Promise<Page>;
  readonly close: () => Promise<void>;
}

/** What a person would turn off first, so that only this extension is on the screen. */
const QUIET_SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'remote.autoForwardPorts': false,
  'git.enabled': false,
  // On by default in a browser, off on a desktop.
  'files.autoSave': 'off',
  'security.workspace.trust.untrustedFiles': 'open',
  'security.workspace.trust.startupPrompt': 'always',
  'window.commandCenter': false,
};

const CHROME_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** A server inside another editor's terminal must not take that editor's settings for its own. */
const FOREIGN_ENV = /^(CODE_SERVER_|VSCODE_|ELECTRON_|NODE_OPTIONS$|CTX_HOME$|CTX_ADMIN_TOKEN$|XDG_)/;

function cleanEnv(home: string, more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN_ENV.test(name));
  return { ...Object.fromEntries(kept), HOME: home, USERPROFILE: home, ...more };
}

export function within<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: not within ${deadlineMs} ms`)), deadlineMs);
    promise.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

function listeningPort(server: ChildProcess, log: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const port = /Extension host agent listening on (\d+)/.exec(log())?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    server.stdout?.on('data', look);
    server.stderr?.on('data', look);
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`the VS Code server exited with ${code}\n${log().slice(-2000)}`)));
  });
}

/** The server leads its own process group: extension hosts and language servers end with it. */
function signalGroup(server: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (server.pid !== undefined) process.kill(-server.pid, name);
  } catch {
    // The group is gone already, which is what we want.
  }
}

async function endGroup(server: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) resolve();
    else server.once('exit', () => resolve());
  });
  signalGroup(server, 'SIGTERM');
  await within(gone, 5_000, 'end of the VS Code server').catch(() => undefined);
  signalGroup(server, 'SIGKILL');
}

/** The hub that a test started is meant to outlive its window: it is ended by what it wrote about itself. */
async function endHub(home: string): Promise<void> {
  const hub = readHub(home);
  if (hub === undefined || !isProcessAlive(hub.pid)) return;
  process.kill(hub.pid, 'SIGTERM');
  await until('the hub ends', () => !isProcessAlive(hub.pid), 20_000).catch((error: unknown) => {
    process.kill(hub.pid, 'SIGKILL');
    throw error;
  });
}

interface Layout {
  readonly dir: string;
  readonly home: string;
  readonly args: readonly string[];
}

function layOut({ settings, machineSettings }: WorkbenchOptions): Layout {
  // Short, because sockets below it must stay under 108 characters.
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-ui-')));
  const make = (name: string): string => {
    fs.mkdirSync(path.join(dir, name), { recursive: true });
    return path.join(dir, name);
  };
  const user = make('user');
  const writeJson = (folder: string, value: unknown): void =>
    fs.writeFileSync(path.join(make(folder), 'settings.json'), JSON.stringify(value, null, 2));
  writeJson('user/User', { ...QUIET_SETTINGS, ...settings });
  // To its pages this server is a remote machine, and has that machine's settings.
  writeJson('user/Machine', machineSettings ?? {});
  const args = ['--server-data-dir', make('server'), '--user-data-dir', user, '--extensions-dir', make('extensions')];
  return { dir, home: make('home'), args };
}

export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const layout = layOut(options);
  const env = cleanEnv(layout.home, options.env ?? {});
  const { main, node } = options.install;
  if (options.vsix !== undefined) {
    execFileSync(node, [main, '--install-extension', options.vsix, ...layout.args], { env, stdio: 'pipe' });
  }
  const flags = [
    ...['--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms'],
    ...['--telemetry-level', 'off'],
    ...(options.workspaceTrust === true ? [] : ['--disable-workspace-trust']),
    ...(options.development === true ? ['--enable-smoke-test-driver'] : []),
  ];
  const server = spawn(node, [main, ...flags, ...layout.args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let log = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  let browser: BrowserContext | undefined;
  const endAtExit = (): void => signalGroup(server, 'SIGKILL');
  process.once('exit', endAtExit);
  const close = async (): Promise<void> => {
    await browser?.close().catch(() => undefined);
    await endGroup(server);
    await endHub(layout.home);
    process.off('exit', endAtExit);
    if (process.env['CTX_TEST_KEEP'] === undefined) {
      fs.rmSync(layout.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    } else console.error(`kept ${layout.dir}`);
  };
  try {
    const port = await within(
      listeningPort(server, () => log),
      30_000,
      'start of the VS Code server',
    );
    browser = await chromium.launchPersistentContext(path.join(layout.dir, 'chrome'), {
      executablePath: options.chrome,
      viewport: { width: 1280, height: 800 },
      args: CHROME_FLAGS,
    });
    const context = browser;
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const openWindow = (window: WindowOptions): Promise<Page> => goTo(context, port, window);
    const uri = (file: string): string => `vscode-remote://127.0.0.1:${port}${file}`;
    return { dir: layout.dir, home: layout.home, log: () => log, uri, openWindow, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function goTo(context: BrowserContext, port: number, window: WindowOptions): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`[page error] ${error.message}`));
  await window.prepare?.(page);
  const payload = JSON.stringify([['skipWelcome', 'true'], ['skipReleaseNotes', 'true'], ...(window.payload ?? [])]);
  const query = new URLSearchParams({
    [window.open.endsWith('.code-workspace') ? 'workspace' : 'folder']: window.open,
    payload,
  });
  // What is waited for is the workbench itself, which the caller does.
  await page.goto(`http://127.0.0.1:${port}/?${query.toString()}`, { waitUntil: 'commit', timeout: 60_000 });
  return page;
}
