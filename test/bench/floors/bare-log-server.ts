/**
 * The floor of a log server in Node, run as a process of its own: fixed-size frames in over bare TCP, gathered, appended, one
 * fdatasync per batch while the next gathers, one byte back for each. Nothing is parsed, checked, hashed or remembered.
 * argv: frame size in bytes, file. Prints `port <port>`.
 */
import fs from 'node:fs';
import net from 'node:net';

const frameBytes = Number(process.argv[2]);
const file = fs.openSync(process.argv[3] ?? '', 'a');
let gathered: Buffer[] = [];
let syncing = false;

function commit(socket: net.Socket): void {
  if (syncing || gathered.length === 0) return;
  syncing = true;
  const batch = gathered.length === 1 ? gathered[0] : Buffer.concat(gathered);
  gathered = [];
  if (batch === undefined) return;
  fs.writeSync(file, batch);
  fs.fdatasync(file, (error) => {
    if (error !== null) throw error;
    syncing = false;
    socket.write(Buffer.alloc(batch.length / frameBytes, '.'));
    commit(socket);
  });
}

const server = net.createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % frameBytes);
    rest = bytes.subarray(whole);
    if (whole > 0) gathered.push(bytes.subarray(0, whole));
    commit(socket);
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`port ${address !== null && typeof address === 'object' ? address.port : 0}\n`);
});
