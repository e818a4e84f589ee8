/** `ctx hub stop`: asks the running hub over local control, and returns when it is gone. Signals nobody (FM-28). */
import type { Command } from 'commander';
import { HubError } from '../../core/errors';
import { isProcessAlive, processStartTime } from '../../core/node/platform';
import { dataDirOf } from '../config';
import { readHubFile } from '../../core/node/local-hub/hub-file';
import { controlRequest, findLocalHub } from '../../core/node/local-hub/local-control';
import { DATA_DIR_FLAG, type HubCommandContext } from './context';

const GONE_DEADLINE_MS = 60_000;
const POLL_MS = 20;

/** The process that answered has ended, or its pid is another's by now. */
async function gone(pid: number, startTime: string | undefined, isDone: () => boolean): Promise<boolean> {
  const deadline = performance.now() + GONE_DEADLINE_MS;
  while (performance.now() < deadline) {
    if (isDone() && (!isProcessAlive(pid) || processStartTime(pid) !== startTime)) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

async function stop(dataDir: string, { io }: HubCommandContext): Promise<void> {
  const hub = await findLocalHub(dataDir);
  if (hub.kind === 'stopped') {
    io.stdout(`No hub is running on ${dataDir}.\n`);
    return;
  }
  const { pid, address, nonce } = hub.file;
  if (hub.kind === 'silent') {
    throw new HubError(
      'unreachable',
      `Process ${pid}, the hub of ${dataDir}, does not answer on ${address}. Look at it, and end it yourself if it hangs.`,
    );
  }
  const startTime = processStartTime(pid);
  const answer = await controlRequest(hub.file, 'stop', {});
  if (answer.status !== 200) throw new HubError('internal', `The hub answered HTTP ${answer.status} to stop.`);
  if (await gone(pid, startTime, () => readHubFile(dataDir)?.nonce !== nonce)) {
    io.stdout(`The hub on ${dataDir} has stopped.\n`);
    return;
  }
  throw new HubError(
    'timeout',
    `The hub on ${dataDir} (process ${pid}) is still there after ${GONE_DEADLINE_MS / 1_000} s.`,
  );
}

export function addStopCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('stop')
    .description('stop the hub of a data directory; waits until it is gone')
    .option(...DATA_DIR_FLAG)
    .addHelpText('after', '\nExample:\n  $ ctx hub stop\n')
    .action((flags: { dataDir?: string }) => stop(dataDirOf(flags.dataDir, context.io), context));
}
