/**
 * What a browser may not do (S05, S06): requests with a foreign `Origin`, or for a `Host` that is not this hub, are refused
 * before anything else is looked at. Decides only.
 */
import net from 'node:net';

export interface WebGuard {
  /** Names and addresses under which clients reach this hub, lower case, without port. */
  readonly hosts: ReadonlySet<string>;
  /** Exact origins (`scheme://host:port`) of web pages that may connect. */
  readonly origins: ReadonlySet<string>;
}

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** `name`, `1.2.3.4` or `[::1]`, and a port of digits. */
const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** An address as it stands in a `Host` header. */
export function hostLiteral(host: string): string {
  return (net.isIPv6(host) ? `[${host}]` : host).toLowerCase();
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** Whoever reaches an address from that very address is on the machine that has it: nobody else gets the answers. */
export function isFromThisMachine(ends: {
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
}): boolean {
  const { remoteAddress, localAddress } = ends;
  if (remoteAddress === undefined) return false;
  return LOOPBACK.test(remoteAddress) || remoteAddress === localAddress;
}

/**
 * @param localAddress the address of our end of the connection: a literal of it cannot have been rebound
 * @returns why the request is refused, or `undefined`
 */
export function refusedByGuard(
  guard: WebGuard,
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  localAddress: string | undefined,
): string | undefined {
  if (headers.origin !== undefined && !guard.origins.has(headers.origin)) return 'origin';
  const host = HOST.exec(headers.host ?? '')?.[1]?.toLowerCase();
  if (host === undefined) return 'host';
  if (LOOPBACK_HOSTS.has(host) || guard.hosts.has(host)) return undefined;
  const own = localAddress === undefined ? undefined : hostLiteral(localAddress.replace(/^::ffff:(?=\d+\.)/, ''));
  return host === own ? undefined : 'host';
}
