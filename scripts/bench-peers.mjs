// `npm run bench:peers`: installs the servers the bench compares with, from Debian's packages, when they are missing. Debian's
// nats-server may be too old to sync every message; where Go is installed a newer one is built into test-output/peers.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './prepare.mjs';

/** Commands by the Debian package that brings them. */
const PACKAGES = { 'nats-server': 'nats-server', 'redis-server': 'redis-server', 'etcd-server': 'etcd' };
const NATS_MODULE = 'github.com/nats-io/nats-server/v2@v2.14.9';
const OWN = path.join(root, 'test-output', 'peers');

const run = (command, args, env = {}) =>
  spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
const version = (command) => {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0].trim() : undefined;
};

function installFromDebian() {
  const missing = Object.keys(PACKAGES).filter((name) => version(PACKAGES[name]) === undefined);
  if (missing.length === 0) return;
  const by = `apt-get install ${missing.join(' ')}`;
  if (version('apt-get') === undefined) return console.log(`No apt-get here: install ${missing.join(', ')} yourself.`);
  if (process.getuid?.() !== 0) return console.log(`Not root: run "sudo ${by}" yourself.`);
  // RUNLEVEL=1 keeps the packages from starting their services: the bench starts its own, on free ports of 127.0.0.1.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  run('apt-get', ['update', '--quiet'], env);
  run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', ...missing], env);
}

function syncsAlways(command) {
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(version(command) ?? '') ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 10);
}

function buildNats() {
  if (['nats-server', path.join(OWN, 'nats-server')].some(syncsAlways)) return;
  const why = 'Syncing every message needs nats-server 2.10';
  if (spawnSync('go', ['version']).status !== 0) return console.log(`${why}, and there is no Go here to build one.`);
  console.log(`${why}: building ${NATS_MODULE} into ${path.relative(root, OWN)}.`);
  fs.mkdirSync(OWN, { recursive: true });
  run('go', ['install', NATS_MODULE], { GOBIN: OWN });
}

installFromDebian();
buildNats();
for (const command of [...Object.values(PACKAGES), path.join(OWN, 'nats-server')]) {
  console.log(`${command}: ${version(command) ?? 'missing'}`);
}
