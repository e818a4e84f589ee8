// `npm start`: the main job, end to end, on the embedded default. Starts a hub in a temporary place, connects two projects,
// shares a decision from one and shows it arriving in the other. `npm start -- --keep` leaves everything running.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build, checkNode, ensureInstalled, root } from './prepare.mjs';

const keep = process.argv.includes('--keep');
const ctxFile = path.join(root, 'dist', 'ctx.js');

let step = 0;
const say = (text) => console.log(`\n${(step += 1)}. ${text}`);
const show = (text) => console.log(text.trimEnd().replaceAll(/^/gm, '   '));

const place = fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-hub-tour-'));
const dataDir = path.join(place, 'hub-data');
const env = { ...process.env, CTX_HOME: path.join(place, 'user'), CTX_ADMIN_TOKEN: '' };
const children = new Set();

/** Starts `ctx`; `lines(pattern)` resolves with the first match in its output. */
function start(args, cwd) {
  const child = spawn(process.execPath, [ctxFile, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const state = { out: '', err: '', waiting: new Set() };
  for (const [stream, key] of [
    [child.stdout, 'out'],
    [child.stderr, 'err'],
  ]) {
    stream.setEncoding('utf8').on('data', (text) => {
      state[key] += text;
      for (const check of state.waiting) check();
    });
  }
  const ended = new Promise((resolve) =>
    child.once('close', (code) => {
      children.delete(child);
      resolve({ code, out: state.out, err: state.err });
      for (const check of state.waiting) check();
    }),
  );
  const says = (pattern, deadlineMs = 15_000) =>
    new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer);
        state.waiting.delete(check);
        settle(value);
      };
      const check = () => {
        const match = pattern.exec(state.out) ?? pattern.exec(state.err);
        if (match) finish(resolve, match);
        else if (!children.has(child))
          finish(reject, new Error(`ctx ${args.join(' ')} ended early:\n${state.out}${state.err}`));
      };
      const timer = setTimeout(
        () => finish(reject, new Error(`ctx ${args.join(' ')} did not say ${pattern}:\n${state.out}${state.err}`)),
        deadlineMs,
      );
      state.waiting.add(check);
      check();
    });
  return { child, ended, says };
}

async function ctx(args, cwd) {
  const { code, out, err } = await start(args, cwd).ended;
  if (code !== 0) throw new Error(`ctx ${args.join(' ')} exited with ${code}:\n${out}${err}`);
  return out;
}

/** A command as a reader could type it. */
const typed = (args) => `$ ctx ${args.map((arg) => (/^[\w./:@-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(' ')}`;

async function showCtx(args, cwd) {
  show(typed(args));
  const out = await ctx(args, cwd);
  if (out.trim() !== '') show(out);
  return out;
}

/** Real context files when they lie beside the repository, else the sample in it. */
function sampleContext() {
  const beside = path.resolve(root, '..', 'shared', 'samples', 'real-context');
  return fs.existsSync(beside) ? beside : path.join(root, 'test', 'fixtures', 'sample-context');
}

function makeProject(name, files) {
  const dir = path.join(place, name);
  fs.mkdirSync(path.join(dir, '.git'), { recursive: true });
  if (files !== undefined) {
    fs.mkdirSync(path.join(dir, '.context'));
    for (const file of fs.readdirSync(files))
      fs.writeFileSync(path.join(dir, '.context', file), fs.readFileSync(path.join(files, file)));
  }
  return dir;
}

async function connect(dir, address, tokenFile) {
  await showCtx(['init'], dir);
  await showCtx(['connection', 'register', address, '--token-file', tokenFile], dir);
  await showCtx(['connection', 'subscribe', 'decision', 'learning', 'convention', 'task'], dir);
}

async function tour() {
  say('A hub starts on a free port, with its data in a temporary folder.');
  show(typed(['hub', 'start', '--port', '0', '--data-dir', dataDir]));
  const hub = start(['hub', 'start', '--port', '0', '--data-dir', dataDir], place);
  const [, address] = await hub.says(/listening on (\S+)/);
  const tokenFile = path.join(dataDir, 'admin.token');
  show(`ctx hub listening on ${address}`);

  const sample = sampleContext();
  say(`Two projects: "alpha" with real context files (${path.relative(root, sample)}), and "beta", new.`);
  const alpha = makeProject('alpha', sample);
  const beta = makeProject('beta');

  say('Both connect to the hub. The admin token is read from a file and exchanged for a token of their own.');
  await connect(alpha, address, tokenFile);
  await connect(beta, address, tokenFile);

  say('"beta" listens.');
  show(typed(['connection', 'listen', '--json']));
  const listener = start(['connection', 'listen', '--json'], beta);
  await listener.says(/up to date/);

  const { entries } = JSON.parse(await ctx(['list', 'decision', '--json'], alpha));
  const decision = entries[0];
  say(`"alpha" shares a decision it took long ago: “${decision.title}”.`);
  const began = performance.now();
  const share = ctx(['connection', 'publish', '--id', decision.id], alpha);
  show(typed(['connection', 'publish', '--id', decision.id]));
  await listener.says(new RegExp(JSON.stringify(decision.id)));
  const arrivedMs = performance.now() - began;
  show(await share);
  show(`It arrived in "beta" ${Math.round(arrivedMs)} ms after the command was given.`);

  say('"alpha" writes a new decision down and shares it in one go: the local file first, then the hub.');
  const added = await showCtx(
    [
      'add',
      'decision',
      'Store timestamps in UTC',
      '--context',
      'Two services disagreed by an hour after a clock change',
      '--rationale',
      'UTC has no clock changes',
      '--consequence',
      'Local time is for display only',
      '--share',
    ],
    alpha,
  );
  await listener.says(/Store timestamps in UTC/);
  if (added.trim() === '') show('(done)');

  const mirror = path.join(beta, '.context', 'hub', 'decisions.md');
  say('What "beta" and its agents now read, in .context/hub/decisions.md:');
  show(fs.readFileSync(mirror, 'utf8'));

  return { hub, listener, address, alpha, beta };
}

async function stop({ listener }) {
  listener.child.kill();
  await listener.ended;
  say('The hub stops and everything temporary is removed.');
  await showCtx(['hub', 'stop', '--data-dir', dataDir], place);
}

function next(kept) {
  console.log(`
What to try next
  npm start -- --keep         the same, and leave the hub and both projects for you to play with
  npm test                    every kind of test, at small size
  npm run package             the VS Code extension as ctx-hub.vsix: install it with “Extensions: Install from VSIX…”
  npm pack                    a tarball for servers: npm install -g ./ctx-hub-*.tgz gives you the command ctx
  README.md                   what there is, and how to set up a team`);
  if (!kept) return;
  console.log(`
Kept running: ${kept.address}
  export CTX_HOME=${env.CTX_HOME}
  alias ctx='node ${ctxFile}'
  cd ${kept.alpha} && ctx add learning "…" --context "…" --lesson "…" --application "…" --share
  cd ${kept.beta} && ctx connection status
Press Ctrl+C to stop the hub and remove it all.`);
}

function removeAll() {
  for (const child of children) child.kill('SIGKILL');
  fs.rmSync(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

async function main() {
  checkNode();
  console.log('Installing and building …');
  ensureInstalled();
  build();
  const running = await tour();
  if (keep) {
    next(running);
    process.off('SIGINT', interrupted);
    await new Promise((resolve) => process.once('SIGINT', resolve));
  }
  await stop(running);
  if (!keep) next();
}

const interrupted = () => process.exit(130);
process.once('SIGTERM', () => process.exit(143));
process.once('SIGINT', interrupted);
process.once('exit', removeAll);
main().then(
  () => process.exit(0),
  (error) => {
    console.error(`\nThe tour did not finish: ${error.message}`);
    process.exit(1);
  },
);
