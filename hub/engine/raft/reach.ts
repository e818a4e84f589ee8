/**
 * How far the data of a stopped node reaches, without a change to any of it: by this an operator compares the survivors when a
 * majority is lost.
 */
import { HubError } from '../../../core/errors';
import type { LogPosition } from '../../raft/entry';
import { recoverSegments } from '../../raft-log/recover';
import { lastBehindWatermark } from '../../store/cut-to-watermark';
import { dataFiles } from '../../store/data-directory';
import type { Disk } from '../../store/disk';
import { readMeta } from '../../store/meta';
import { raftLogFolder, readNodeFile, type NodeFile } from './node-file';

export type JoinedFile = NodeFile & { readonly joined: NonNullable<NodeFile['joined']> };

export interface Reach {
  readonly file: JoinedFile;
  /** Last entry of the Raft log. */
  readonly raft: LogPosition;
  /** Last entry of `entries.jsonl`. */
  readonly sequence: number;
}

/** @throws HubError `invalid` when it is no node of a cluster */
export async function joinedFileOf(disk: Disk, folder: string): Promise<JoinedFile> {
  const file = await readNodeFile(disk, folder);
  if (file?.joined !== undefined) return { ...file, joined: file.joined };
  throw new HubError('invalid', `${folder} does not belong to a node of a cluster: there is nothing to recover.`);
}

/** @throws HubError `bad_data` when the Raft log is damaged */
export async function reachOf(disk: Disk, folder: string): Promise<Reach> {
  const file = await joinedFileOf(disk, folder);
  const logFolder = raftLogFolder(folder);
  const hasLog = (await disk.facts(logFolder)) !== undefined;
  const found = hasLog
    ? await recoverSegments({ disk, folder: logFolder, warn: () => undefined, lookOnly: true })
    : undefined;
  const meta = await readMeta(disk, dataFiles(folder));
  const marked = meta.kind === 'meta' ? meta.meta.watermark.sequence : 0;
  const behind = await lastBehindWatermark(disk, folder);
  return {
    file,
    raft: found?.recovered.entries.at(-1) ?? found?.recovered.base ?? { term: 0, index: 0 },
    sequence: behind?.sequence ?? marked,
  };
}
