/** HTTP answers as they go out, for requests and refused upgrades alike. A refusal never says more than its code. */
import http from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** What a refused request may learn; one text per status, so that all faults of a kind look alike (S08). */
const REFUSALS: Readonly<Record<number, { readonly code: string; readonly message: string }>> = {
  400: { code: 'invalid', message: 'The request was not understood.' },
  401: { code: 'unauthenticated', message: 'A valid token is needed.' },
  403: { code: 'forbidden', message: 'This host or origin is not served here.' },
  404: { code: 'invalid', message: 'There is nothing here.' },
  405: { code: 'invalid', message: 'This method is not served here.' },
  413: { code: 'too_large', message: 'The request is too large.' },
  426: { code: 'unsupported_version', message: 'Speak the WebSocket subprotocol ctx-hub.v1.' },
  429: { code: 'rate_limited', message: 'This token has as many sessions as it may.' },
  503: { code: 'going_away', message: 'The hub takes no more sessions now. Try again in a moment.' },
};

export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 413 | 426 | 429 | 503;

function refusalBody(status: RefusalStatus): string {
  return `${JSON.stringify({ error: REFUSALS[status] })}\n`;
}

function refusalHeaders(status: RefusalStatus, length: number): Record<string, string> {
  return {
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(length),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(status === 426 ? { upgrade: 'websocket' } : {}),
    ...(status === 429 || status === 503 ? { 'retry-after': '1' } : {}),
  };
}

/** Ends a connection whose upgrade is refused. */
export function refuseUpgrade(stream: Duplex, status: RefusalStatus): void {
  const body = refusalBody(status);
  const headers = Object.entries(refusalHeaders(status, Buffer.byteLength(body)));
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  stream.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\n${head}\r\n${body}`, () => stream.destroy());
}

export function refuse(response: ServerResponse, status: RefusalStatus): void {
  const body = refusalBody(status);
  response.writeHead(status, refusalHeaders(status, Buffer.byteLength(body))).end(body);
}

export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  answerText(response, status, 'application/json', `${JSON.stringify(value)}\n`);
}

export function answerText(response: ServerResponse, status: number, type: string, body: string): void {
  response
    .writeHead(status, {
      'content-type': type,
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(body);
}
