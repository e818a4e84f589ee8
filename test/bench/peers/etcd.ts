/** etcd as a peer, single node with its default settings: Put over gRPC, spoken by hand over one HTTP/2 connection. */
import http2 from 'node:http2';
import { accepts, freePort, startChild } from '../children';
import type { PublishOne } from '../loops';
import { payload } from '../payload';

export const ETCD = 'etcd';
export const ETCD_DURABILITY = 'etcd: fdatasync of the write-ahead log before an answer';

export interface Etcd {
  readonly publish: PublishOne;
  readonly close: () => Promise<void>;
}

export async function startEtcd(command: string, dir: string): Promise<Etcd> {
  const [port, peerPort] = [await freePort(), await freePort()];
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const urls = ['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer];
  const cluster = [
    '--initial-advertise-peer-urls',
    peer,
    '--initial-cluster',
    `default=${peer}`,
    '--log-level',
    'error',
  ];
  const child = await startChild('etcd', command, ['--data-dir', dir, ...urls, ...cluster], { cwd: dir });
  await accepts(child, port);
  const session = http2.connect(client);
  session.on('error', () => undefined);
  let number = 0;
  const publish = async (): Promise<void> => {
    number += 1;
    await put(session, `entries/${number}`, payload(number));
  };
  await publish();
  return {
    publish,
    close: async () => {
      session.destroy();
      await child.stop();
    },
  };
}

/** A protobuf field of kind bytes (wire type 2); lengths below 16,384 take one or two bytes. */
function bytesField(field: number, text: string): Buffer {
  const value = Buffer.from(text);
  const length = value.length < 0x80 ? [value.length] : [(value.length & 0x7f) | 0x80, value.length >> 7];
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), value]);
}

/** A gRPC message: not compressed, then its length in four bytes. */
function grpcMessage(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export function put(session: http2.ClientHttp2Session, key: string, value: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = session.request({
      ':method': 'POST',
      ':path': '/etcdserverpb.KV/Put',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: unknown;
    const note = (headers: http2.IncomingHttpHeaders): void => {
      status = headers['grpc-status'] ?? status;
    };
    request.on('response', note);
    request.on('trailers', note);
    request.once('error', reject);
    request.once('close', () =>
      status === '0' ? resolve() : reject(new Error(`etcd answered status ${String(status)}`)),
    );
    request.resume();
    request.end(grpcMessage(Buffer.concat([bytesField(1, key), bytesField(2, value)])));
  });
}
