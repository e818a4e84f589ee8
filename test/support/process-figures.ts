/** What Linux counts of a running process: memory at its highest, bytes read and written. `undefined` where there is no /proc. */
import fs from 'node:fs';

function countOf(pid: number, file: 'status' | 'io', name: string): number | undefined {
  const path = `/proc/${pid}/${file}`;
  if (!fs.existsSync(path)) return undefined;
  const value = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(fs.readFileSync(path, 'utf8'))?.[1];
  return value === undefined ? undefined : Number(value);
}

/** The most memory it ever had resident, in MiB. */
export function peakMib(pid: number | undefined): number | undefined {
  const kib = countOf(pid ?? 0, 'status', 'VmHWM');
  return kib === undefined ? undefined : kib / 1024;
}

/** Bytes that it has read and written so far, files and sockets alike. */
export function bytesMoved(pid: number | undefined): number | undefined {
  const read = countOf(pid ?? 0, 'io', 'rchar');
  const written = countOf(pid ?? 0, 'io', 'wchar');
  return read === undefined || written === undefined ? undefined : read + written;
}
