/** A hub's address as people write it, and in the one form that is stored and dialled. Pure. */
import { HubError } from './errors';
import { DEFAULT_PORT } from './limits';

export interface HubAddress {
  readonly secure: boolean;
  /** Without the brackets of an IPv6 literal. */
  readonly host: string;
  readonly port: number;
  /** `ws://host:port` or `wss://host:port`. */
  readonly url: string;
}

function refuse(text: string, why: string): never {
  throw new HubError(
    'usage',
    `"${text}" is no hub address: ${why}. Write host, host:port, ws://host:port or wss://host:port.`,
  );
}

/** An IPv6 literal without brackets would swallow the port: `::1` is taken as a host. */
function withScheme(text: string, secure: boolean): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  const colons = text.split(':').length - 1;
  const host = colons > 1 && !text.startsWith('[') ? `[${text}]` : text;
  return `${secure ? 'wss' : 'ws'}://${host}`;
}

const WRONG_PORT = 'a port is a number from 1 to 65535';
const hasHugePort = (full: string): boolean => Number(/:(\d+)\/?$/.exec(full)?.[1]) > 65_535;

/**
 * @param secureByDefault what an address without a scheme means
 * @throws HubError `usage` that names what is wrong
 */
export function parseHubAddress(text: string, secureByDefault = false): HubAddress {
  const trimmed = text.trim();
  if (trimmed === '') refuse(text, 'it is empty');
  const full = withScheme(trimmed, secureByDefault);
  if (!URL.canParse(full)) refuse(text, hasHugePort(full) ? WRONG_PORT : 'it does not parse');
  const url = new URL(full);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') refuse(text, `the scheme ${url.protocol}// is not known`);
  if (url.username !== '' || url.password !== '') refuse(text, 'it holds a user or password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') refuse(text, 'it has a path');
  if (url.hostname === '') refuse(text, 'it has no host');
  if (url.port === '0') refuse(text, WRONG_PORT);
  const secure = url.protocol === 'wss:';
  const port = portOf(full, url, secure);
  return { secure, host: url.hostname.replace(/^\[|\]$/g, ''), port, url: `${url.protocol}//${url.hostname}:${port}` };
}

/** @param host without brackets */
export function hubUrl({ secure, host, port }: Pick<HubAddress, 'secure' | 'host' | 'port'>): string {
  return `${secure ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether what is sent there never leaves this machine. @param host without brackets */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** URL drops a scheme's default port (80, 443), which is not our default: read what was written. */
function portOf(full: string, url: URL, secure: boolean): number {
  if (url.port !== '') return Number(url.port);
  const schemeDefault = secure ? 443 : 80;
  return new RegExp(`:0*${schemeDefault}/?$`).test(full) ? schemeDefault : DEFAULT_PORT;
}
