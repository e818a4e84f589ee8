/** Joins a node's Raft log to how far it was applied, and refuses a node that lost what it promised. */
import { HubError } from '../../../core/errors';
import { EMPTY_CONFIGURATION } from '../../raft/configuration';
import { RaftLog, type OpenedRaftLog } from '../../raft-log/raft-log';
import type { Disk } from '../../store/disk';
import type { Store } from '../../store/store';
import { parseMark, type ClusterState } from './cluster';
import { raftLogFolder } from './node-file';

/** Of a node that joined and has not got its first snapshot yet. */
const NO_STATE: ClusterState = { term: 0, index: 0, configuration: EMPTY_CONFIGURATION, members: [], nextId: 1 };

/** @throws HubError `bad_data` */
export async function openRecoveredLog(
  options: { readonly disk: Disk; readonly folder: string; readonly warn: (message: string) => void },
  store: Store,
): Promise<{ opened: OpenedRaftLog; state: ClusterState }> {
  const { folder, warn } = options;
  const opened = await RaftLog.open({ disk: options.disk, folder: raftLogFolder(folder), warn });
  const mark = parseMark(store.raftMark);
  const { recovered, log, fresh } = opened;
  if (mark === undefined) return { opened, state: NO_STATE };
  const last = recovered.entries.at(-1)?.index ?? recovered.base.index;
  if (last >= mark.index && !fresh) return { opened, state: mark };
  if (mark.installed === true && !fresh) {
    // The snapshot is whole; only the Raft log did not hear of it any more.
    const base = { term: mark.term, index: mark.index };
    const hardState = { ...recovered.hardState, commit: base.index };
    await log.write({ hardState, restore: base, entries: [], sync: true });
    return { opened: { log, fresh, recovered: { hardState, base, entries: [] } }, state: mark };
  }
  await log.close();
  throw new HubError(
    'bad_data',
    `The Raft log in ${raftLogFolder(folder)} ends at entry ${last}, but ${mark.index} was applied here: this node lost what it ` +
      'promised, and must not vote again. Remove it (ctx hub peer remove), empty its data directory, and add it again (ctx hub peer add).',
  );
}
