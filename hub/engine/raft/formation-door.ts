/** The port of a node that does not belong to a cluster yet: it tells its peers who it is, and serves no client. */
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Certificate } from '../../certificate';
import { HubError } from '../../../core/errors';
import { isPeerPath, PeerDoor } from '../../peers/peer-door';
import type { NodeInfo } from './node-info';

/** What a node shows while it waits for the other nodes. */
export interface FormingView {
  /** Answers what is asked of its port over HTTP. */
  readonly answer: RequestListener;
  /** @param message whom or what it waits for now, in words */
  readonly waiting: (message: string) => void;
  /** It waits no more, and its port is closed. */
  readonly done: () => Promise<void>;
}

export interface FormationDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly certificate: Certificate | undefined;
  readonly secret: string;
  readonly info: Extract<NodeInfo, { state: 'forming' }>;
  readonly answer: RequestListener | undefined;
  readonly warn: (message: string) => void;
  readonly crash: (error: unknown) => void;
}

/** @throws HubError `cannot_create` */
export async function openFormationDoor(options: FormationDoorOptions): Promise<() => Promise<void>> {
  const { host, port, certificate, secret, info, answer, warn, crash } = options;
  const door = new PeerDoor({
    secret,
    self: () => ({ cluster: '', node: 0, uid: info.uid, address: info.address }),
    certificate: () => certificate?.fingerprint ?? '',
    refusal: () => undefined,
    message: () => undefined,
    request: (name) =>
      name === 'info'
        ? Promise.resolve({ body: info })
        : Promise.reject(new HubError('no_leader', 'This node does not belong to the cluster yet.')),
    closed: () => undefined,
    warn,
    crash,
  });
  const server = certificate === undefined ? http.createServer() : https.createServer({ ...certificate });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  if (answer !== undefined) server.on('request', answer);
  server.on('upgrade', (request, stream, head) => {
    if (isPeerPath(request.url)) door.upgrade(request, stream, head, () => undefined);
    else stream.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new HubError('cannot_create', `Cannot listen on ${host}:${port}: ${error.message}.`, { cause: error }));
    });
    server.listen({ host, port }, resolve);
  });
  return async () => {
    door.close();
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
}
