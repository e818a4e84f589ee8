/**
 * The floor of fan-out, run as a process of its own: a bare TCP server that writes every frame it gets to every listener,
 * one write each, nothing gathered. argv: frame size in bytes. Prints `ports <publish> <listen>`.
 */
import net from 'node:net';

const frameBytes = Number(process.argv[2]);
const listeners = new Set<net.Socket>();

const publishers = net.createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    let bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (bytes.length >= frameBytes) {
      const frame = bytes.subarray(0, frameBytes);
      for (const listener of listeners) listener.write(frame);
      bytes = bytes.subarray(frameBytes);
    }
    rest = bytes;
  });
});

const subscriptions = net.createServer({ noDelay: true }, (socket) => {
  listeners.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => listeners.delete(socket));
  socket.write('.');
});

function portOf(server: net.Server): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

publishers.listen(0, '127.0.0.1', () => {
  subscriptions.listen(0, '127.0.0.1', () => {
    process.stdout.write(`ports ${portOf(publishers)} ${portOf(subscriptions)}\n`);
  });
});
