/** `ctx hub peer add|remove|list` and `ctx hub stepdown`: who belongs to a cluster, and who leads it. */
import type { Command } from 'commander';
import * as z from 'zod';
import { parseHubAddress } from '../../core/hub-address';
import { readHubFile } from '../../core/node/local-hub/hub-file';
import { dataDirOf } from '../config';
import { askLocalHub } from '../../core/node/local-hub/local-control';
import { peersAnswerSchema, type PeerRow } from '../peer-row';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';
import { textTable } from './text-table';

interface Flags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** A change may wait for an election, a newcomer's answer and a commit. */
const ADMIN_TIMEOUT_MS = 30_000;
const MIB = 1024 * 1024;

export async function askPeers(dataDir: string): Promise<readonly PeerRow[]> {
  return peersAnswerSchema.parse(await askLocalHub(dataDir, 'peer_list', {}, ADMIN_TIMEOUT_MS)).peers;
}

export function peerTable(peers: readonly PeerRow[]): string {
  const shown = (value: number | undefined, unit = ''): string => (value === undefined ? '-' : `${value}${unit}`);
  const rows = peers.map((each) => [
    String(each.node),
    each.address,
    each.role ?? (each.voter ? '-' : 'learner'),
    shown(each.term),
    shown(each.sequence),
    shown(each.lag),
    shown(each.sync_ms, ' ms'),
    shown(each.round_trip_ms, ' ms'),
    each.free_bytes === undefined ? '-' : `${Math.floor(each.free_bytes / MIB)} MiB`,
    each.version ?? '-',
    each.reachable ? (each.why ?? 'ok') : `unreachable: ${each.why ?? 'no answer'}`,
  ]);
  const head = ['NODE', 'ADDRESS', 'ROLE', 'TERM', 'SEQUENCE', 'LAG', 'DISK', 'NETWORK', 'FREE', 'VERSION', 'STATE'];
  return textTable(head, rows);
}

async function wish(action: string, parameters: object, flags: Flags, { io }: HubCommandContext): Promise<void> {
  const answer = await askLocalHub(dataDirOf(flags.dataDir, io), action, parameters, ADMIN_TIMEOUT_MS);
  const { said } = z.object({ said: z.string() }).parse(answer);
  io.stdout(flags.json === true ? jsonAnswer('cluster_changed', { said }) : `${said}\n`);
}

const withFlags = (command: Command): Command =>
  command.option(...DATA_DIR_FLAG).option('--json', 'print one JSON line');

const EXAMPLES = {
  list: '\nExample:\n  $ ctx hub peer list\n',
  add: '\nExample:\n  $ ctx hub peer add 10.0.0.4:9900    start the node there first: it waits to be added\n',
  remove: '\nExamples:\n  $ ctx hub peer remove 10.0.0.2:9900\n  $ ctx hub peer remove 2             by its number\n',
  stepdown: '\nExample:\n  $ ctx hub stepdown\n',
};

export function addPeerCommands(hub: Command, context: HubCommandContext): void {
  const peer = hub.command('peer').description('the nodes of a cluster');
  withFlags(peer.command('list').description('every node, asked for its state'))
    .addHelpText('after', EXAMPLES.list)
    .action(async (flags: Flags) => {
      const peers = await askPeers(dataDirOf(flags.dataDir, context.io));
      context.io.stdout(flags.json === true ? jsonAnswer('hub_peers', { peers }) : peerTable(peers));
    });
  withFlags(peer.command('add <address>').description('take a new node in; it counts once it has caught up'))
    .addHelpText('after', EXAMPLES.add)
    .action((address: string, flags: Flags) =>
      wish('peer_add', { address: addressOf(address, flags, context) }, flags, context),
    );
  withFlags(peer.command('remove <node>').description('let a node go, by number or address'))
    .addHelpText('after', EXAMPLES.remove)
    .action((node: string, flags: Flags) =>
      wish('peer_remove', { peer: /^\d+$/.test(node) ? node : addressOf(node, flags, context) }, flags, context),
    );
  withFlags(hub.command('stepdown').description('hand leadership over to another node'))
    .addHelpText('after', EXAMPLES.stepdown)
    .action((flags: Flags) => wish('stepdown', {}, flags, context));
}

/** Nodes of one cluster serve TLS or not all alike. */
function addressOf(text: string, flags: Flags, { io }: HubCommandContext): string {
  const secure = readHubFile(dataDirOf(flags.dataDir, io))?.address.startsWith('wss') === true;
  return parseHubAddress(text, secure).url;
}
