/** Questions over plain HTTP: health for everyone, status and metrics for token holders, control for the machine itself. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HubError } from '../../core/errors';
import { parseStrictJson } from '../../core/strict-json';
import { toWireError, type StatusInfo } from '../../core/wire';
import { MAX_CONTROL_BODY_BYTES } from '../limits';
import type { Identity } from './authenticator';
import type { Gate } from './gate';
import { answerJson, answerText, refuse } from './http-answers';
import { isFromThisMachine } from './web-guard';

export interface Health {
  /** It serves. */
  readonly ok: boolean;
  readonly degraded: boolean;
  readonly instance: string;
}

/** An action of local control: its parameters in, its answer out. @throws HubError */
export type ControlAction = (parameters: Readonly<Record<string, unknown>>) => Promise<unknown>;

export interface Routes {
  readonly gate: Gate;
  readonly health: () => Health;
  readonly isReady: () => boolean;
  /** This and the next are there once the hub serves. */
  readonly status: ((identity: Identity) => StatusInfo) | undefined;
  readonly metrics: (() => string) | undefined;
  readonly control: ReadonlyMap<string, ControlAction>;
  readonly crash: (error: unknown) => void;
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_CONTROL_BODY_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parametersOf(body: string): Readonly<Record<string, unknown>> {
  const value = body === '' ? {} : parseStrictJson(body);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new HubError('invalid', 'The body must be a JSON object.');
}

async function control(
  routes: Routes,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const action = routes.control.get(name);
  if (action === undefined) {
    refuse(response, 404);
    return;
  }
  if (request.method !== 'POST') {
    refuse(response, 405);
    return;
  }
  const body = await bodyOf(request);
  if (body === undefined) {
    refuse(response, 413);
    return;
  }
  try {
    answerJson(response, 200, await action(parametersOf(body)));
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    answerJson(response, error.facts.http, { error: toWireError(error, error.code) });
  }
}

/** Asks of token holders. */
async function known(routes: Routes, path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const identity = routes.gate.identify(request);
  const action = /^\/v1\/control\/([a-z_]+)$/.exec(path)?.[1];
  if (identity === undefined) {
    routes.gate.failed(
      request,
      (status) => refuse(response, status),
      () => request.socket.destroy(),
    );
  } else if (action === undefined) {
    tell(routes, path, identity, request, response);
  } else if (identity.kind === 'control' && isFromThisMachine(request.socket)) {
    await control(routes, action, request, response);
  } else {
    refuse(response, 403);
  }
}

function tell(
  routes: Routes,
  path: string,
  identity: Identity,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method !== 'GET') return refuse(response, 405);
  switch (path) {
    case '/readyz':
      return answerJson(response, routes.isReady() ? 200 : 503, { ready: routes.isReady() });
    case '/metrics':
      if (routes.metrics === undefined) return refuse(response, 503);
      return answerText(response, 200, 'text/plain; version=0.0.4', routes.metrics());
    default:
      if (routes.status === undefined) return refuse(response, 503);
      return answerJson(response, 200, { schemaVersion: 1, kind: 'hub_status', status: routes.status(identity) });
  }
}

const KNOWN_PATH = /^\/(readyz|metrics|v1\/status|v1\/control\/[a-z_]+)$/;

/** The request listener of the hub's HTTP server. */
export function httpRoutes(routes: Routes): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    request.on('error', () => response.destroy());
    if (!routes.gate.passesGuard(request)) return refuse(response, 403);
    const path = request.url ?? '';
    if (path === '/healthz') {
      const health = routes.health();
      return request.method === 'GET' ? answerJson(response, health.ok ? 200 : 503, health) : refuse(response, 405);
    }
    if (!KNOWN_PATH.test(path)) return refuse(response, 404);
    known(routes, path, request, response).catch((error: unknown) => {
      if (request.errored === null || error !== request.errored) routes.crash(error);
    });
  };
}
