/** A hub of a team beside the window: another project that shares there, and the log as the operator sees it. */
import fs from 'node:fs';
import path from 'node:path';
import { v7 as uuid } from 'uuid';
import * as z from 'zod';
import type { EntryType } from '../../../core/entry';
import { openSession } from '../../../core/node/hub-session';
import { registerClient, startHub, type HubProcess } from '../../support/hub-process';

const line = z.looseObject({ id: z.string(), type: z.string(), origin: z.string(), content: z.string() });

export interface TeamHub {
  readonly process: HubProcess;
  /** `127.0.0.1:PORT`, as a person types it. */
  readonly typed: string;
  /** Shares one entry for each title, in order, as project `gamma`. */
  readonly share: (type: EntryType, ...titles: readonly string[]) => Promise<void>;
  readonly log: () => readonly z.infer<typeof line>[];
  readonly stop: () => Promise<void>;
  /** Again on the same port, with the same data. */
  readonly startAgain: () => Promise<void>;
}

export async function startTeamHub(): Promise<TeamHub> {
  let hub = await startHub();
  const { port, dataDir } = hub;
  const { token } = await registerClient(hub, 'gamma');
  return {
    get process() {
      return hub;
    },
    typed: `127.0.0.1:${port}`,
    share: async (type, ...titles) => {
      const session = await openSession({ address: hub.address, token });
      const timestamp = new Date().toISOString();
      await session.publish(titles.map((content) => ({ id: uuid(), type, content, timestamp })));
      await session.close();
    },
    log: () =>
      fs
        .readFileSync(path.join(dataDir, 'entries.jsonl'), 'utf8')
        .split('\n')
        .filter((each) => each !== '')
        .map((each) => line.parse(JSON.parse(each))),
    stop: async () => {
      await hub.stop();
    },
    startAgain: async () => {
      hub = await startHub({ dataDir, args: ['--port', String(port)] });
    },
  };
}
