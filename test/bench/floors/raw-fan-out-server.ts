/**
 * The floor of fan-out, run as a process of its own: a bare TCP server that writes every frame it gets to every listener, one
 * write each, nothing gathered. To its listeners it looks like a hub, so that they cost the same as a hub's.
 * argv: frame size in bytes. Prints `ports <publish> <listen>`.
 */
import net from 'node:net';

const frameBytes = Number(process.argv[2]);
const listeners = new Set<net.Socket>();

function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
}

const WELCOME = Buffer.concat([Buffer.from('HTTP/1.1 101 Bare\r\n\r\n'), textFrame('{"kind":"hello"}')]);
const LISTENING = textFrame('{"kind":"listening"}');

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
  socket.on('error', () => undefined);
  socket.once('close', () => listeners.delete(socket));
  // First the upgrade request, then the listen request; each comes in one piece on a fresh connection of this machine.
  socket.once('data', () => {
    socket.write(WELCOME);
    socket.once('data', () => {
      socket.write(LISTENING);
      listeners.add(socket);
    });
  });
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
