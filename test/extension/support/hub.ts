/** The hub that the extension under test started, as its data directory shows it. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import * as z from 'zod';

const hubFile = z.object({ pid: z.int(), address: z.string(), port: z.int(), version: z.string() });

export type HubProcess = z.infer<typeof hubFile>;

export const hubDataDir = (home: string): string => path.join(home, '.ctx', 'hub-data');

export function readHub(home: string): HubProcess | undefined {
  try {
    return hubFile.parse(JSON.parse(fs.readFileSync(path.join(hubDataDir(home), 'hub.json'), 'utf8')));
  } catch {
    return undefined; // Not there, or being written.
  }
}

/** As a crash or a power cut would end it. */
export function killHub(home: string): HubProcess {
  const hub = readHub(home);
  if (hub === undefined) throw new Error(`no hub runs for ${home}`);
  process.kill(hub.pid, 'SIGKILL');
  return hub;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
