// `npm run bench:peers`: installs the servers the bench compares with, from Debian's packages, when they are missing. Debian's
// nats-server may be too old to sync every message; where Go is installed a newer one is built into test-output/peers.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { installMissing } from './debian.mjs';
import { root } from './prepare.mjs';

/** Commands by the Debian package that brings them. */
const PACKAGES = { 'nats-server': 'nats-server', 'redis-server': 'redis-server', etcd: 'etcd-server' };
const NATS_MODULE = 'github.com/nats-io/nats-server/v2@v2.14.9';
const OWN = path.join(root, 'test-output', 'peers');

const run = (command, args, env = {}) =>
  spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
const version = (command) => {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0].trim() : undefined;
};

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

const unmet = installMissing(PACKAGES);
if (unmet !== undefined) console.log(unmet);
buildNats();
for (const command of [...Object.keys(PACKAGES), path.join(OWN, 'nats-server')]) {
  console.log(`${command}: ${version(command) ?? 'missing'}`);
}
