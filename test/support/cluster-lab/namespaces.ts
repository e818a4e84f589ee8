/** A laboratory network of real network namespaces, joined by a switch in user space that loses and delays frames. Root, Linux. */
import { execFileSync, spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { tempDir } from '../processes';
import type { LinkFaults, Network, NodePlace } from './network';

const SOURCE = path.resolve('test/support/faults/network.c');
const PORT = 9900;
const ANSWER_MS = 10_000;

/** Third numbers of 198.18.x.0/24, which is set aside for tests of networks. */
function freePrefix(): string {
  const used = new Set(
    Object.values(os.networkInterfaces()).flatMap((all = []) =>
      all.map(({ address }) => address.replace(/\.\d+$/, '')),
    ),
  );
  const candidates = Array.from({ length: 256 }, (_, at) => `198.18.${(process.pid + at) % 256}`);
  const free = candidates.find((prefix) => !used.has(prefix));
  if (free === undefined) throw new Error('no network of 198.18.0.0/16 is free');
  return free;
}

class Switch {
  private readonly answers: ((line: string) => void)[] = [];

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    createInterface({ input: child.stdout }).on('line', (line) => this.answers.shift()?.(line));
    child.stdin.on('error', () => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  nextLine(): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the switch does not answer')), ANSWER_MS);
      this.answers.push((line) => {
        clearTimeout(timer);
        resolve(line);
      });
    });
  }

  ask(command: string): Promise<string> {
    this.child.stdin.write(`${command}\n`);
    return this.nextLine();
  }

  end(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    this.child.stdin.end();
    return ended;
  }
}

/** With the switch everything is gone: it holds the only handles of interfaces and namespaces. */
export async function namespaceNetwork(nodes: number): Promise<Network> {
  const program = path.join(tempDir('ctx-network'), 'network');
  execFileSync('cc', ['-O1', '-o', program, SOURCE]);
  const prefix = freePrefix();
  const child = spawn(program, [prefix, String(nodes)], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stderr.pipe(process.stderr);
  const hub = new Switch(child);
  const [ready, ...handles] = (await hub.nextLine()).split(' ');
  if (ready !== 'ready') throw new Error('the switch did not start');
  const places = handles.map((handle, at): NodePlace => {
    const host = `${prefix}.${at + 1}`;
    const wrap = ['nsenter', `--net=/proc/${hub.pid}/fd/${handle}`];
    return { host, port: PORT, advertise: `ws://${host}:${PORT}`, wrap };
  });
  return {
    places,
    link: async (from: number, to: number, { lossPercent, delayMs }: LinkFaults) => {
      const answer = await hub.ask(`link ${from} ${to} ${lossPercent} ${delayMs}`);
      if (answer !== 'done') throw new Error(`the switch: ${answer}`);
    },
    injected: async (from, to) => {
      const counts = new RegExp(`(?:^| )${from}>${to}=\\d+/(\\d+)/(\\d+) `).exec(await hub.ask('counts'));
      return Number(counts?.[1] ?? 0) + Number(counts?.[2] ?? 0);
    },
    close: () => hub.end(),
  };
}

/** Tries it out. @returns why it cannot be done here; undefined = it can */
export async function namespacesImpossible(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root (network namespaces)';
  if (!fs.existsSync('/dev/net/tun')) return 'needs /dev/net/tun';
  for (const program of ['cc', 'nsenter']) {
    if (spawnSync(program, ['--version']).error !== undefined) return `needs ${program}`;
  }
  try {
    await (await namespaceNetwork(2)).close();
    return undefined;
  } catch (error) {
    return `network namespaces are not to be had here: ${String(error).split('\n')[0] ?? ''}`;
  }
}
