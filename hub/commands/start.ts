/** `ctx hub start`: in the foreground until a signal or `ctx hub stop`, or with `--daemon` in a process of its own. */
import fs from 'node:fs';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { DEFAULT_PORT } from '../../core/limits';
import { isOpenToOthers } from '../../core/node/platform';
import { unreachableHint } from '../cluster-config';
import { hubConfig, type HubConfig, type StartFlags } from '../config';
import { startDaemon } from '../daemon';
import { serve } from '../serve';
import { DATA_DIR_FLAG, type HubCommandContext } from './context';

interface Flags extends StartFlags {
  readonly daemon?: boolean;
  readonly json?: boolean;
  readonly daemonChild?: boolean;
}

const EXAMPLES = `
Examples:
  $ ctx hub start                              on this machine only, port ${DEFAULT_PORT}
  $ ctx hub start --daemon --data-dir /srv/hub in the background
  $ ctx hub start --host 0.0.0.0 --tls-self-signed --public-host hub.example.org
  $ ctx hub start --approve-registrations      the admin token alone lets nobody read
  $ ctx hub start --port 0 --json              on a free port, for scripts
  $ ctx hub start --host 10.0.0.1 --advertise 10.0.0.1:9900 --peers 10.0.0.1:9900,10.0.0.2:9900,10.0.0.3:9900 \\
      --cluster-secret-file /etc/ctx/cluster.secret --tls-self-signed
                                               a node of a cluster
`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function addStartCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('start')
    .description('start a hub')
    .option('--port <n>', `port to listen on; 0 = a free one (default: ${DEFAULT_PORT})`)
    .option('--host <host>', 'address to listen on (default: 127.0.0.1)')
    .option('--insecure', 'allow an address other than loopback without TLS')
    .option('--tls-cert <file>', 'PEM file with the certificate and its chain')
    .option('--tls-key <file>', 'PEM file with its private key')
    .option('--tls-self-signed', 'TLS with a certificate of its own; prints the fingerprint that clients pin')
    .option(...DATA_DIR_FLAG)
    .option('--daemon', 'run in the background; returns when the hub serves')
    .option('--json', 'print one JSON line instead of text')
    .option('--public-host <name>', 'name or address under which clients reach this hub (repeatable)', collect)
    .option('--allow-origin <origin>', 'web page that may connect (repeatable)', collect)
    .option('--max-sessions <n>', 'open sessions, all together')
    .option('--max-sessions-per-token <n>', 'open sessions of one token')
    .option('--publish-burst <n>', 'entries a token may publish at once')
    .option('--publish-rate <n>', 'entries per second a token may publish in the long run')
    .option('--no-rate-limit', 'let every token publish as fast as it can')
    .option('--approve-registrations', 'who registers may publish, and reads after: ctx hub client approve <id>')
    .option('--peers <addresses>', 'start a cluster: all addresses of it, this node too, with commas between')
    .option('--advertise <address>', 'address under which the other nodes and clients reach this node')
    .option('--cluster-secret-file <file>', 'file with the secret that all nodes of the cluster share')
    .option('--raft-keep-entries <n>', 'entries kept for nodes that lag (default: 1000)')
    .option('--max-auth-age <time>', 'without a leader for longer, a node answers no client (default: 10m)')
    .addOption(new Option('--daemon-child').hideHelp())
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Flags) => {
      const config = hubConfig(flags, context.io);
      if (config.insecure) warnInsecure(config, context);
      warnUnreachable(config, context);
      warnOpenSecret(flags, context);
      const run = flags.daemon === true ? startDaemon : serve;
      context.exit.code = await run(config, flags, context);
    });
}

function warnUnreachable({ host, cluster }: HubConfig, { io }: HubCommandContext): void {
  if (cluster?.advertise === undefined) return;
  const hint = unreachableHint(host, cluster.advertise, cluster.peers);
  if (hint !== undefined) io.stderr(`ctx: warning: ${hint}\n`);
}

function warnOpenSecret({ clusterSecretFile }: Flags, { io }: HubCommandContext): void {
  if (clusterSecretFile === undefined) return;
  const file = path.resolve(io.cwd, clusterSecretFile);
  if (!isOpenToOthers(fs.statSync(file).mode)) return;
  io.stderr(
    `ctx: warning: other users of this machine can open ${file}, the secret of the cluster: chmod 600 ${file}\n`,
  );
}

function warnInsecure(config: HubConfig, { io }: HubCommandContext): void {
  io.stderr(
    `ctx: warning: listening on ${config.host} without TLS. Whoever can see this network can read every entry and take every token.\n`,
  );
}
