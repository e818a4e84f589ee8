/** `ctx hub recover --force` (FM-16): one survivor goes on when the majority of a cluster is lost for good. Offline. */
import type { Command } from 'commander';
import { HubError } from '../../core/errors';
import { dataDirOf } from '../config';
import { reachOf, type Reach } from '../engine/raft/reach';
import { recoverCluster, type Recovery } from '../engine/raft/recover';
import { nodeDisk } from '../store/node-disk';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';
import { withLock } from './offline';

interface Flags {
  readonly dataDir?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

function warning(dataDir: string, { file, raft, sequence }: Reach): string {
  const lost = file.lost === undefined ? '' : `\n${file.lost}: take it only if there is no other.`;
  return `Node ${file.joined.node} (${file.address}), ${dataDir}:
its Raft log ends at term ${raft.term}, index ${raft.index}; its entries.jsonl ends at sequence ${sequence}.${lost}
To choose among the nodes that are left, stop them all and run this on each. Recover the one whose Raft log ends at the highest term,
and of those with that term the one with the highest index: it holds the most of what was acknowledged. A higher sequence does not
count against that. With --force it becomes a cluster of its own. What only the lost nodes held is lost: entries that were
acknowledged while this node lagged, clients registered, tokens revoked. Nodes of the old cluster cannot come back: they are
added again with empty data directories. To do it here: ctx hub recover --force --data-dir ${dataDir}`;
}

async function recover(flags: Flags, { io }: HubCommandContext): Promise<void> {
  const dataDir = dataDirOf(flags.dataDir, io);
  await withLock(dataDir, async () => {
    if (flags.force !== true) throw new HubError('usage', warning(dataDir, await reachOf(nodeDisk, dataDir)));
    const done = await recoverCluster(dataDir, (message) => io.stderr(`ctx: ${message}\n`), new Date());
    io.stdout(flags.json === true ? jsonAnswer('cluster_recovered', done) : recoveredText(done));
  });
}

function recoveredText(done: Recovery): string {
  return (
    `Node ${done.node} (${done.address}) is a cluster of its own now. Its log ends at sequence ${done.sequence}; ` +
    `${done.rescued} of these entries were not known to be committed.\n` +
    `What was before is kept in ${done.copy}.\n` +
    'Start it as before, then add nodes with empty data directories: ctx hub peer add <address>\n'
  );
}

export function addRecoverCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('recover')
    .description('after the loss of a majority: go on with this node alone')
    .option(...DATA_DIR_FLAG)
    .option('--force', 'really do it; without it the command says how far this node reaches, and what it means')
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      '\nExamples:\n  $ ctx hub recover            how far this node reaches, to compare with the others\n  $ ctx hub recover --force\n',
    )
    .action((flags: Flags) => recover(flags, context));
}
