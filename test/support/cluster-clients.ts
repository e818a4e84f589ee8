/** Clients of a test cluster: publish wherever it works, find the leader, wait until all nodes hold the same. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import type { PublishedEntry } from '../../core/entry';
import type { StatusInfo } from '../../core/wire';
import { logOf, type ClusterNode } from './cluster-processes';
import { published } from './hub-log';
import { until } from './processes';

export async function statusOf(node: Pick<ClusterNode, 'address' | 'hub'>): Promise<StatusInfo> {
  const session = await openSession({ address: node.address, token: node.hub.adminToken, timeoutMs: 2_000 });
  try {
    return await session.status();
  } finally {
    session.terminate();
  }
}

/** The one node that leads; waits until there is one. */
export function whoLeads<N extends Pick<ClusterNode, 'address' | 'hub'>>(
  nodes: readonly N[],
  deadlineMs = 30_000,
): Promise<N> {
  return until(
    'there is a leader',
    async () => {
      for (const node of nodes) {
        const status = await statusOf(node).catch(() => undefined);
        if (status?.role === 'leader' && status.problems.length === 0) return node;
      }
      return undefined;
    },
    deadlineMs,
  );
}

/** Publishes at one node after the other until it is acknowledged, as a client with an outbox does. @returns its sequence */
export async function publishAnywhere(
  nodes: readonly Pick<ClusterNode, 'address'>[],
  token: string,
  entry: PublishedEntry,
  first = 0,
  deadlineMs = 30_000,
): Promise<number> {
  let last: unknown;
  const end = performance.now() + deadlineMs;
  for (let at = first; performance.now() < end; at++) {
    const node = nodes[at % nodes.length];
    try {
      const session = await openSession({ address: node?.address ?? '', token, timeoutMs: 5_000 });
      try {
        const [result] = await session.publish([entry]);
        if (result !== undefined && 'sequence' in result) return result.sequence;
        last = result;
      } finally {
        session.terminate();
      }
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${entry.id} was acknowledged nowhere: ${String(last)}`);
}

/** Waits until all nodes' logs are the same bytes. */
export async function sameLogs(nodes: readonly Pick<ClusterNode, 'dataDir'>[], deadlineMs = 30_000): Promise<Buffer> {
  const [first, ...rest] = nodes;
  assert.ok(first !== undefined);
  return until(
    'all logs are the same bytes',
    () => {
      const bytes = logOf(first);
      return bytes.length > 0 && rest.every((node) => logOf(node).equals(bytes)) ? bytes : undefined;
    },
    deadlineMs,
  );
}

/**
 * The leader takes in an entry that no other node gets, and is killed; the others go on without it, so that it has to discard the entry.
 * @returns that node, not running
 */
export async function takenInVain(nodes: readonly ClusterNode[], token: string, id: string): Promise<ClusterNode> {
  const leader = await whoLeads(nodes);
  const others = nodes.filter((node) => node !== leader);
  const session = await openSession({ address: leader.address, token });
  await Promise.all(others.map(({ hub }) => hub.kill9()));
  await assert.rejects(session.publish([published(id)]), { code: 'no_leader', outcome: 'unknown' });
  session.terminate();
  await leader.hub.kill9();
  await Promise.all(others.map((node) => node.restart()));
  await publishAnywhere(others, token, published(`instead-of-${id}`));
  return leader;
}

export const rejectedFile = ({ dataDir }: Pick<ClusterNode, 'dataDir'>): string =>
  path.join(dataDir, 'entries.jsonl.rejected');

/** Ids that a node had to discard and that were never committed, as its file has them; a torn line counts as an error. */
export function rejectedIds(node: Pick<ClusterNode, 'dataDir'>): readonly string[] {
  const file = rejectedFile(node);
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  assert.ok(text === '' || text.endsWith('\n'), `${file} ends with half a line`);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { id: string }).id);
}
