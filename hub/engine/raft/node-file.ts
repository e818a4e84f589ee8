/** `raft/node.json`: which node of which cluster a data directory is. Its uid is made once: a wiped directory gets another. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import { HubError } from '../../../core/errors';
import type { Disk } from '../../store/disk';
import { readWhole, replaceWhole } from '../../store/whole-file';

const schema = z.object({
  format: z.literal(1),
  uid: z.string(),
  /** Under which the other nodes reach this one. */
  address: z.string(),
  /** Set once the node belongs to a cluster: from then on its promises count. */
  joined: z
    .object({
      cluster: z.string(),
      node: z.int().min(1),
      /** Whom to ask before the first snapshot has come. */
      contacts: z.array(z.object({ id: z.int().min(1), uid: z.string(), address: z.string() })),
    })
    .optional(),
});
export type NodeFile = z.infer<typeof schema>;

export const raftFolder = (dataDir: string): string => path.join(dataDir, 'raft');
export const raftLogFolder = (dataDir: string): string => path.join(dataDir, 'raft', 'log');
const nodeFilePath = (dataDir: string): string => path.join(raftFolder(dataDir), 'node.json');

/** @throws HubError `bad_data`, `unsupported_version` */
export async function readNodeFile(disk: Disk, dataDir: string): Promise<NodeFile | undefined> {
  const file = nodeFilePath(dataDir);
  const bytes = await readWhole(disk, file);
  if (bytes === undefined) return undefined;
  const parsed = schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  if (parsed.success) return parsed.data;
  throw new HubError('bad_data', `${file} is not understood: ${z.prettifyError(parsed.error)}`);
}

export async function writeNodeFile(disk: Disk, dataDir: string, node: NodeFile): Promise<void> {
  const folder = raftFolder(dataDir);
  if ((await disk.facts(folder)) === undefined) {
    await disk.makeFolder(folder);
    await disk.syncFolder(dataDir);
  }
  await replaceWhole(disk, nodeFilePath(dataDir), Buffer.from(`${JSON.stringify(node, undefined, 2)}\n`));
}

export const newNodeFile = (address: string): NodeFile => ({ format: 1, uid: randomUUID(), address });
