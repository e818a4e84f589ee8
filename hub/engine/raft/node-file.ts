/** `raft/node.json`: which node of which cluster a data directory is. Its uid is made once: a wiped directory gets another. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import { HubError } from '../../../core/errors';
import { shapeFault } from '../../../core/shape-fault';
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
  /** How a leader found that it lost what it promised, in words: it must not vote again, whoever leads. */
  lost: z.string().optional(),
});
export type NodeFile = z.infer<typeof schema>;

export const raftFolder = (dataDir: string): string => path.join(dataDir, 'raft');
export const raftLogFolder = (dataDir: string): string => path.join(dataDir, 'raft', 'log');
const nodeFilePath = (dataDir: string): string => path.join(raftFolder(dataDir), 'node.json');

/** @throws HubError `bad_data` */
export async function readNodeFile(disk: Disk, dataDir: string): Promise<NodeFile | undefined> {
  const file = nodeFilePath(dataDir);
  const bytes = await readWhole(disk, file);
  if (bytes === undefined) {
    const log = raftLogFolder(dataDir);
    if ((await disk.facts(log)) === undefined) return undefined;
    throw unknownNode(`${file} is missing beside ${log}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw damaged(file, 'it is no JSON', error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw damaged(file, shapeFault(parsed.error), parsed.error);
}

const damaged = (file: string, why: string, cause: unknown): HubError =>
  unknownNode(`${file} is damaged (${why})`, cause);

function unknownNode(what: string, cause?: unknown): HubError {
  return new HubError(
    'bad_data',
    `${what}: which node this is cannot be known any more. Put the file back as it was; or remove this node ` +
      '(ctx hub peer remove), empty its data directory and add it again (ctx hub peer add).',
    { cause },
  );
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
