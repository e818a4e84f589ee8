/** One HTTP request with a deadline, for commands that ask a hub. Nothing of it is kept open afterwards. */
import http from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';

export interface HttpRequestOptions {
  readonly method?: 'GET' | 'POST';
  readonly body?: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  readonly timeoutMs: number;
  /** SHA-256 of the certificate to accept instead of a chain; hex, colons allowed. */
  readonly fingerprint?: string;
  /** PEM of certificates to trust instead of the system's. */
  readonly ca?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();

/** Nothing of ours is sent before the certificate was compared. */
function securely(options: HttpRequestOptions): https.RequestOptions {
  const { fingerprint, ca } = options;
  if (fingerprint === undefined) return { agent: false, ...(ca === undefined ? {} : { ca }) };
  return { agent: false, rejectUnauthorized: false };
}

function checkPinned(request: http.ClientRequest, fingerprint: string): void {
  request.once('socket', (socket) => {
    socket.once('secureConnect', () => {
      const presented = socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : '';
      if (plain(presented) !== plain(fingerprint)) request.destroy(new Error('the certificate is not the pinned one'));
    });
  });
}

/** @throws the socket's error, or one that says that there was no answer in time */
export function httpRequest(url: string, options: HttpRequestOptions): Promise<HttpAnswer> {
  const headers: Record<string, string> = { connection: 'close' };
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
  const isSecure = url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const settings = { method: options.method ?? 'GET', headers };
    const request = isSecure
      ? https.request(url, { ...settings, ...securely(options) })
      : http.request(url, { ...settings, agent: false });
    if (isSecure && options.fingerprint !== undefined) checkPinned(request, options.fingerprint);
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
    const failed = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    request.on('error', failed);
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        body += part;
        if (body.length > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too large'));
      });
      response.on('error', failed);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    request.end(options.body);
  });
}
