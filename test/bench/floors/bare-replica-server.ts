/**
 * The floor of a replicated log in Node: as bare-log-server.ts, but each batch also goes to the followers, which are bare log servers
 * themselves, and an answer is given when two of three have it on disk. No terms, no checks, no recovery.
 * argv: frame size in bytes, file, ports of the followers. Prints `port <port>`.
 */
import fs from 'node:fs';
import net from 'node:net';

const frameBytes = Number(process.argv[2]);
const file = fs.openSync(process.argv[3] ?? '', 'a');
const followers = process.argv
  .slice(4)
  .map((port) => net.connect({ port: Number(port), host: '127.0.0.1', noDelay: true }));
/** Frames on disk: here, then at each follower. */
const durable = [0, ...followers.map(() => 0)];
let answered = 0;
let gathered: Buffer[] = [];
let syncing = false;
let client: net.Socket | undefined;

function noteDurable(at: number, frames: number): void {
  durable[at] = (durable[at] ?? 0) + frames;
  const byMajority = durable.toSorted((a, b) => b - a)[Math.floor(durable.length / 2)] ?? 0;
  if (byMajority <= answered) return;
  client?.write(Buffer.alloc(byMajority - answered, '.'));
  answered = byMajority;
}

followers.forEach((socket, at) => socket.on('data', (answers: Buffer) => noteDurable(at + 1, answers.length)));

function commit(): void {
  if (syncing || gathered.length === 0) return;
  syncing = true;
  const batch = Buffer.concat(gathered);
  gathered = [];
  for (const socket of followers) socket.write(batch);
  fs.writeSync(file, batch);
  fs.fdatasync(file, (error) => {
    if (error !== null) throw error;
    syncing = false;
    noteDurable(0, batch.length / frameBytes);
    commit();
  });
}

const server = net.createServer({ noDelay: true }, (socket) => {
  client = socket;
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % frameBytes);
    rest = bytes.subarray(whole);
    if (whole > 0) gathered.push(bytes.subarray(0, whole));
    commit();
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`port ${address !== null && typeof address === 'object' ? address.port : 0}\n`);
});
