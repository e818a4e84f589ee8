/** `ctx hub recover --force` (FM-16): one survivor goes on when the majority of a cluster is lost for good. Offline. */
import type { Command } from 'commander';
import { HubError } from '../../core/errors';
import { dataDirOf } from '../config';
import { recoverCluster } from '../engine/raft/recover';
import { lockDataDirectory } from '../store/lock';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';

interface Flags {
  readonly dataDir?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const WARNING = `This makes a cluster of its own out of this one node. What only the lost nodes held is lost: entries that were
acknowledged while this node lagged, clients registered, tokens revoked. Nodes of the old cluster cannot come back: they are
added again with empty data directories. Use the survivor whose log is longest (ctx hub peer list shows the sequence).
To do it, stop all nodes that are left, and run: ctx hub recover --force`;

async function recover(flags: Flags, { io }: HubCommandContext): Promise<void> {
  if (flags.force !== true) throw new HubError('usage', WARNING);
  const dataDir = dataDirOf(flags.dataDir, io);
  const lock = await lockDataDirectory(dataDir);
  try {
    const done = await recoverCluster(dataDir, (message) => io.stderr(`ctx: ${message}\n`), new Date());
    if (flags.json === true) {
      io.stdout(jsonAnswer('cluster_recovered', done));
      return;
    }
    io.stdout(
      `Node ${done.node} (${done.address}) is a cluster of its own now. Its log ends at sequence ${done.sequence}; ` +
        `${done.rescued} of these entries were not known to be committed.\n` +
        `What was before is kept in ${done.copy}.\n` +
        'Start it as before, then add nodes with empty data directories: ctx hub peer add <address>\n',
    );
  } finally {
    await lock.release();
  }
}

export function addRecoverCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('recover')
    .description('after the loss of a majority: go on with this node alone (preview)')
    .option(...DATA_DIR_FLAG)
    .option('--force', 'really do it; without it the command says what it means')
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  $ ctx hub recover --force\n')
    .action((flags: Flags) => recover(flags, context));
}
