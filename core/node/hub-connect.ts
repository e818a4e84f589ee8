/**
 * Opens an authenticated WebSocket to a hub, step by step, so that a failure can name the step it happened at: DNS, TCP,
 * TLS, HTTP upgrade, authentication (FM-60). The token leaves this machine only after TLS has been verified (S02).
 */
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { HubError, type ConnectStep } from '../errors';
import { plainFingerprint } from '../fingerprint';
import type { HubAddress } from '../hub-address';
import { MAX_FRAME_BYTES } from '../limits';
import { secondsText } from '../seconds-text';
import { SUBPROTOCOL } from '../wire';
import { socketTrouble } from './socket-trouble';

export interface ConnectOptions {
  readonly address: HubAddress;
  readonly token: string;
  /** PEM of certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** SHA-256 of the hub's certificate, hex; trusted instead of a chain. */
  readonly fingerprint?: string | undefined;
  /** Aborted with a HubError as reason at the deadline or by the caller. */
  readonly signal: AbortSignal;
  /** Told as each step begins. */
  readonly onStep: (step: ConnectStep) => void;
}

/** Longer than this no hub of ours asks. */
const MAX_RETRY_AFTER_S = 24 * 60 * 60;

/** What to look at next, per step. */
export const STEP_ADVICE: Readonly<Record<ConnectStep, string>> = {
  address: 'Check the address.',
  dns: 'Check the host name, and that this machine can resolve it.',
  tcp: 'Check that the hub is running (ctx hub status on its machine), its port, and that no firewall is between.',
  tls: 'Check that the hub serves TLS, and its certificate: --ca file.pem or --fingerprint at "ctx connection register".',
  http: 'Check that the address is a ctx hub and not another service.',
  auth: 'Register again: ctx connection register <address>.',
  protocol: 'Check the versions: the hub and this ctx must speak the same protocol.',
};

const STEP_NAMES: Readonly<Record<ConnectStep, string>> = {
  address: 'address',
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  http: 'HTTP upgrade',
  auth: 'authentication',
  protocol: 'protocol',
};

export function connectError(url: string, step: ConnectStep, what: string, cause?: unknown): HubError {
  const code = step === 'auth' ? 'unauthenticated' : step === 'protocol' ? 'unsupported_version' : 'unreachable';
  const message = `Cannot connect to the hub at ${url}, ${STEP_NAMES[step]} failed: ${what}. ${STEP_ADVICE[step]}`;
  return new HubError(code, message, { cause, step });
}

/** A deadline that names how far the connection got. */
export function connectTimeout(url: string, step: ConnectStep, timeoutMs: number): HubError {
  const what = `no answer within ${secondsText(timeoutMs)}`;
  const message = `Cannot connect to the hub at ${url}, ${STEP_NAMES[step]}: ${what}. ${STEP_ADVICE[step]}`;
  return new HubError('unreachable', message, { step });
}

function isDnsError(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === 'getaddrinfo' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
}

/** Rejects when the signal fires; removes itself from the signal afterwards. */
function whileNotAborted<T>(
  signal: AbortSignal,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    start(
      (value) => {
        done();
        resolve(value);
      },
      (error) => {
        done();
        reject(error);
      },
    );
  });
}

async function dialTcp(options: ConnectOptions): Promise<net.Socket> {
  const { address, signal, onStep } = options;
  onStep(net.isIP(address.host) === 0 ? 'dns' : 'tcp');
  const socket = net.connect({ host: address.host, port: address.port, noDelay: true });
  try {
    return await whileNotAborted<net.Socket>(signal, (resolve, reject) => {
      socket.once('lookup', () => onStep('tcp'));
      socket.once('connect', () => resolve(socket));
      socket.once('error', (error) => {
        const step = isDnsError(error) ? 'dns' : 'tcp';
        reject(connectError(address.url, step, socketTrouble(error, address.url), error));
      });
    });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function checkPinned(socket: tls.TLSSocket, fingerprint: string, url: string): HubError | undefined {
  const certificate = socket.getPeerCertificate();
  const presented = plainFingerprint((certificate as Partial<tls.PeerCertificate>).fingerprint256 ?? '');
  if (presented === plainFingerprint(fingerprint)) return undefined;
  const what = `the hub's certificate has the fingerprint ${presented === '' ? '(none)' : presented}, not the pinned one`;
  return connectError(url, 'tls', what);
}

/** Verifies either the chain and name, or the pinned fingerprint; there is no third way. */
async function secure(plain: net.Socket, options: ConnectOptions): Promise<tls.TLSSocket> {
  const { address, ca, fingerprint, signal, onStep } = options;
  onStep('tls');
  const pinned = fingerprint !== undefined;
  const socket = tls.connect({
    socket: plain,
    ...(net.isIP(address.host) === 0 ? { servername: address.host } : {}),
    host: address.host,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    // A pinned certificate is compared below, before any byte of ours is sent; a chain is verified by Node.
    rejectUnauthorized: !pinned,
    ...(ca === undefined ? {} : { ca }),
  });
  try {
    return await whileNotAborted<tls.TLSSocket>(signal, (resolve, reject) => {
      socket.once('secureConnect', () => {
        const wrong = pinned ? checkPinned(socket, fingerprint, address.url) : undefined;
        if (wrong === undefined) resolve(socket);
        else reject(wrong);
      });
      socket.once('error', (error) =>
        reject(connectError(address.url, 'tls', socketTrouble(error, address.url), error)),
      );
      socket.once('close', () => reject(connectError(address.url, 'tls', 'the hub closed the connection')));
    });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** When to come back, as the answer says it; a date, which is for browsers, counts as nothing said. */
function retryAfterOf({ headers }: IncomingMessage): number | undefined {
  const seconds = Number(headers['retry-after']);
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_S) * 1_000 : undefined;
}

function tooMany(url: string, retryAfterMs = 1_000): HubError {
  const message =
    `The hub at ${url} is reached and refuses one more session (rate limited, HTTP 429): this token has as many sessions as it may. ` +
    `Close an editor or a listener that uses it, or try again in ${secondsText(retryAfterMs)}.`;
  return new HubError('rate_limited', message, { step: 'http', retryAfterMs });
}

function refusedUpgrade(url: string, response: IncomingMessage): HubError {
  const status = response.statusCode;
  if (status === 429) return tooMany(url, retryAfterOf(response));
  if (status === 401) return connectError(url, 'auth', 'the hub does not accept the token');
  if (status === 503) return connectError(url, 'http', 'the hub is busy (HTTP 503)');
  if (status === 426) return connectError(url, 'protocol', 'the hub does not speak this version (HTTP 426)');
  return connectError(url, 'http', `the answer was HTTP ${status ?? '?'} instead of a WebSocket`);
}

async function upgrade(socket: net.Socket, options: ConnectOptions): Promise<WebSocket> {
  const { address, token, signal, onStep } = options;
  onStep('http');
  const ws = new WebSocket(address.url, SUBPROTOCOL, {
    createConnection: () => socket,
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    followRedirects: false,
  });
  try {
    return await whileNotAborted<WebSocket>(signal, (resolve, reject) => {
      ws.once('open', () => {
        // The first frame may come in the same packet as the upgrade: hold it until somebody listens for it.
        ws.pause();
        resolve(ws);
      });
      ws.once('unexpected-response', (_request, response) => {
        response.resume();
        reject(refusedUpgrade(address.url, response));
      });
      ws.on('error', (error) => reject(connectError(address.url, 'http', socketTrouble(error, address.url), error)));
    });
  } catch (error) {
    ws.terminate();
    socket.destroy();
    throw error;
  }
}

/**
 * @returns a paused, open WebSocket: listen for its messages, then `resume()`
 * @throws HubError with the failing step, or the reason of the signal
 */
export async function connectToHub(options: ConnectOptions): Promise<WebSocket> {
  const plain = await dialTcp(options);
  const socket = options.address.secure ? await secure(plain, options) : plain;
  return upgrade(socket, options);
}
