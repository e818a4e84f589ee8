/** One HTTP request with a deadline, for commands that ask a hub. Nothing of it is kept open afterwards. */
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { plainFingerprint } from '../../fingerprint';
import { secondsText } from '../../seconds-text';

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

/**
 * A TLS connection whose other side is proven: by the chain and name, or by the pinned fingerprint. Only then is anything of
 * ours sent (S02).
 */
function dialTls(url: URL, options: HttpRequestOptions, signal: AbortSignal): Promise<tls.TLSSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const { fingerprint, ca } = options;
  const socket = tls.connect({
    host,
    port: Number(url.port),
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: fingerprint === undefined,
    ...(ca === undefined ? {} : { ca }),
  });
  return new Promise((resolve, reject) => {
    const abort = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      const presented = socket.getPeerCertificate().fingerprint256;
      if (fingerprint === undefined || plainFingerprint(presented) === plainFingerprint(fingerprint))
        return resolve(socket);
      socket.destroy(new Error(`its certificate has the fingerprint ${presented}, not the pinned one`));
    });
  });
}

function bodyOf(response: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      body += part;
      if (body.length > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too large'));
    });
    response.once('error', reject);
    response.once('end', () => resolve(body));
  });
}

async function send(url: URL, options: HttpRequestOptions, signal: AbortSignal): Promise<HttpAnswer> {
  const headers: Record<string, string> = { connection: 'close' };
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
  const secured = url.protocol === 'https:' ? await dialTls(url, options, signal) : undefined;
  const plainUrl = new URL(url.href.replace(/^https:/, 'http:'));
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.request(plainUrl, {
      method: options.method ?? 'GET',
      headers,
      signal,
      // An agent would make a connection of its own.
      ...(secured === undefined ? { agent: false } : { createConnection: () => secured }),
    });
    request.once('error', reject);
    request.once('response', resolve);
    request.end(options.body);
  });
  return { status: response.statusCode ?? 0, body: await bodyOf(response) };
}

/** @throws the socket's error, or one that says that there was no answer in time */
export async function httpRequest(url: string, options: HttpRequestOptions): Promise<HttpAnswer> {
  const { timeoutMs } = options;
  const deadline = new AbortController();
  const late = new Error(`no answer within ${secondsText(timeoutMs)}`);
  const timer = setTimeout(() => deadline.abort(late), timeoutMs);
  try {
    return await send(new URL(url), options, deadline.signal);
  } catch (error) {
    throw deadline.signal.aborted ? late : error;
  } finally {
    clearTimeout(timer);
  }
}
