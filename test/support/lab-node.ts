/** A node of a cluster in this process, with the port that its peers come in by; its disk can be made to fail. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import type { LogEngine } from '../../hub/engine/log-engine';
import { openRaftEngine, type OpenedRaftEngine, type RaftEngineOptions } from '../../hub/engine/raft/open';
import { isPeerPath } from '../../hub/peers/peer-door';
import { nodeDisk } from '../../hub/store/node-disk';
import { faultyDisk, type FaultyDisk } from '../conformance/engine/faulty-disk';

const SECRET = '5ec2e7'.repeat(10);

export class LabNode {
  readonly folder: string;
  readonly faults: FaultyDisk = faultyDisk(nodeDisk);
  opened: OpenedRaftEngine | undefined;
  private server: http.Server | undefined;

  constructor(
    parent: string,
    readonly port: number,
  ) {
    this.folder = path.join(parent, `node-${port}`);
    fs.mkdirSync(this.folder, { mode: 0o700 });
  }

  get address(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get engine(): LogEngine {
    assert.ok(this.opened !== undefined, 'it is open');
    return this.opened.engine;
  }

  log(): string {
    return fs.readFileSync(path.join(this.folder, 'entries.jsonl'), 'utf8');
  }

  /** @param more `speaks`: it says that it understands no newer commands than that; `signal`: calls a first start off; `disk`: another one */
  async open(
    peers: readonly string[],
    more: Partial<Pick<RaftEngineOptions, 'speaks' | 'signal' | 'disk'>> = {},
  ): Promise<OpenedRaftEngine> {
    const opened = await openRaftEngine({
      ...{ folder: this.folder, disk: this.faults.disk, host: '127.0.0.1', port: this.port, version: 'lab' },
      config: { advertise: this.address, peers, secret: SECRET, keepEntries: 5, maxAuthAgeMs: 600_000 },
      certificate: () => undefined,
      warn: () => undefined,
      // A process would end; here the lab notices by what is not answered.
      crash: () => undefined,
      signal: new AbortController().signal,
      ...more,
    });
    this.opened = opened;
    this.server = http.createServer();
    this.server.on('upgrade', (request, stream, head) => {
      if (isPeerPath(request.url)) opened.cluster.door.upgrade(request, stream, head, () => undefined);
      else stream.destroy();
    });
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    return opened;
  }

  async close(): Promise<void> {
    await this.opened?.engine.close().catch(() => undefined);
    this.opened = undefined;
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
  }
}
