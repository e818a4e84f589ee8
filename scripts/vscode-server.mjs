// Provides what the extension's tests run in: a real VS Code server with its web workbench (npm package `code-server`),
// the Node it wants (npm package `node-linux-<arch>`), and a Chromium as its window. Built-ins only.
//   node scripts/vscode-server.mjs [version …]      installs them; CTX_VSCODE_CACHE = where (default .vscode-server)
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installMissing } from './debian.mjs';

/** The newest VS Code the tests run in, and the oldest one the manifest's `engines.vscode` still meets. */
export const CURRENT_VERSION = '4.139.1';
export const FLOOR_VERSION = '4.103.2';
const NODE_VERSION = '22.23.3';
const RIPGREP_VERSION = '1.18.0';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Why this machine cannot have the server at all, or `undefined`. */
export function serverObstacle() {
  if (os.platform() !== 'linux') return `the VS Code server from npm runs here on Linux only, this is ${os.platform()}`;
  if (!['x64', 'arm64'].includes(os.arch())) return `no Node ${NODE_VERSION} on npm for ${os.arch()}`;
  return undefined;
}

function cacheFolder() {
  return path.resolve(process.env.CTX_VSCODE_CACHE ?? path.join(root, '.vscode-server'));
}

function describeInstall(folder) {
  return {
    main: path.join(folder, 'node_modules/code-server/lib/vscode/out/server-main.js'),
    node: path.join(folder, `node_modules/node-linux-${os.arch()}/bin/node`),
  };
}

function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (done.status === 0) return done.stdout;
  const why = done.error?.message ?? `${done.stdout}\n${done.stderr}`.trim().split('\n').slice(-15).join('\n');
  throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${why}`);
}

function npmInstall(folder, ...more) {
  // Install scripts stay off: code-server's own one compiles native add-ons that no test needs.
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...more], folder);
}

/** Servers before the platform packages look for ripgrep (behind `workspace.findFiles`) inside `@vscode/ripgrep/bin`. */
function provideRipgrep(folder, vscode) {
  const wanted = path.join(vscode, 'node_modules/@vscode/ripgrep');
  if (!fs.existsSync(wanted)) return;
  const name = `@vscode/ripgrep-linux-${os.arch()}`;
  npmInstall(folder, '--save-exact', `${name}@${RIPGREP_VERSION}`);
  const bin = path.join(wanted, 'bin');
  fs.mkdirSync(bin, { recursive: true });
  fs.copyFileSync(path.join(folder, 'node_modules', name, 'bin/rg'), path.join(bin, 'rg'));
  fs.chmodSync(path.join(bin, 'rg'), 0o755);
}

function build(version, folder) {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
  npmInstall(folder, '--save-exact', `code-server@${version}`, `node-linux-${os.arch()}@${NODE_VERSION}`);
  const vscode = path.join(folder, 'node_modules/code-server/lib/vscode');
  npmInstall(vscode, '--omit=dev');
  provideRipgrep(folder, vscode);
  fs.symlinkSync('node_modules', path.join(vscode, 'node_modules.asar'));
}

/**
 * The server of one version, installed when missing.
 * @returns {{main: string, node: string}} the server's script and the Node to run it with
 */
export function ensureServer(version, log = () => {}) {
  const obstacle = serverObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  const cache = cacheFolder();
  const folder = path.join(cache, version);
  if (fs.existsSync(folder)) return describeInstall(folder);
  log(`installing the VS Code server ${version} from npm into ${folder}`);
  // Built aside and moved into place: what stands at `folder` is whole, whoever was interrupted or came second.
  const aside = path.join(cache, `${version}.partial-${process.pid}`);
  fs.rmSync(aside, { recursive: true, force: true });
  try {
    build(version, aside);
    fs.renameSync(aside, folder);
  } catch (error) {
    fs.rmSync(aside, { recursive: true, force: true });
    if (!fs.existsSync(folder)) throw error;
  }
  return describeInstall(folder);
}

const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/microsoft-edge',
  '/snap/bin/chromium',
];

function findBrowser() {
  return [process.env.CTX_CHROME, ...BROWSERS].find((file) => file !== undefined && fs.existsSync(file));
}

/**
 * A Chromium or Chrome: `CTX_CHROME`, one that is installed, or (as root on Debian) the distribution's package.
 * @returns {string} path of the executable
 */
export function ensureChrome(log = () => {}) {
  const found = findBrowser();
  if (found !== undefined) return found;
  log('installing Chromium');
  const unmet = installMissing({ chromium: 'chromium' }, ['fonts-dejavu-core', 'fonts-liberation']);
  const installed = findBrowser();
  if (installed !== undefined) return installed;
  throw new Error(`no Chrome or Chromium found: install one, or name it in CTX_CHROME. ${unmet ?? ''}`);
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const say = (text) => console.error(text);
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : [CURRENT_VERSION, FLOOR_VERSION];
  for (const version of wanted) console.log(`${version}: ${ensureServer(version, say).main}`);
  console.log(`browser: ${ensureChrome(say)}`);
}
