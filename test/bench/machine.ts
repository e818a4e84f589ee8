/**
 * What the machine and single processes are doing, read from Linux's /proc: CPU time of a process to the nanosecond, memory,
 * and how busy processes outside the bench are. Elsewhere these figures are unknown, and the report says so.
 */
import fs from 'node:fs';
import os from 'node:os';

export const hasProc = process.platform === 'linux' && fs.existsSync('/proc/self/schedstat');

/** Linux counts CPU time in /proc/stat in hundredths of a second on every platform Node runs on (USER_HZ). */
const TICK_MS = 10;
/** Flag of kernel threads in /proc/<pid>/stat: their work (journal, softirq) belongs to whoever wrote, so to us. */
const PF_KTHREAD = 0x00200000;

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    // A process or thread that has just ended: it is simply not counted any more.
    return undefined;
  }
}

/** CPU seconds of all threads of a running process. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    const text = readText(`/proc/${pid}/task/${thread}/schedstat`);
    if (text !== undefined) nanoseconds += Number(text.split(' ')[0]);
  }
  return nanoseconds / 1e9;
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? '');
  if (match === null) throw new Error(`The resident memory of process ${pid} cannot be read.`);
  return Number(match[1]) * 1024;
}

interface ProcessTimes {
  readonly kernel: boolean;
  readonly ms: number;
}

function timesOf(pid: string): ProcessTimes | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // Fields after the command name, which is in parentheses and may hold anything: state is the first of them.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [flags = 0, user = 0, system = 0] = [fields[6], fields[11], fields[12]];
  return { kernel: (flags & PF_KTHREAD) !== 0, ms: (user + system) * TICK_MS };
}

/** Busy time of the whole machine so far, with what the hypervisor took away (steal). */
function busyMs(): number {
  const [, ...ticks] = (readText('/proc/stat') ?? '').split('\n')[0]?.split(/\s+/) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks.map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_MS;
}

/** Time that this process, the given children and the kernel's own threads used so far. */
function oursMs(children: readonly number[]): number {
  const own = new Set([process.pid, ...children].map(String));
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.reduce((sum, pid) => {
    const times = timesOf(pid);
    return times !== undefined && (times.kernel || own.has(pid)) ? sum + times.ms : sum;
  }, 0);
}

/** See `watchMachine` of the rounds. `children` must not start or end meanwhile. */
export function watchMachine(children: () => readonly number[]): () => number | undefined {
  if (!hasProc) return () => undefined;
  const began = performance.now();
  const foreignBefore = busyMs() - oursMs(children());
  return () => {
    const elapsedMs = performance.now() - began;
    return Math.max(0, busyMs() - oursMs(children()) - foreignBefore) / elapsedMs;
  };
}

export function describeMachine(): Record<string, string | number> {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    load_1m: Math.round((os.loadavg()[0] ?? 0) * 100) / 100,
  };
}
