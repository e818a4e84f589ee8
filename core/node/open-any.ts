/** A session with whichever of a hub's addresses answers first, within one deadline for all of them (FM-12, FM-14). */
import { HubError } from '../errors';
import { parseHubAddress } from '../hub-address';
import { asHubError } from './as-hub-error';
import type { Connection } from './connection-file';
import { openSession, type HubSession } from './hub-session';

/** Addresses of the connection, best first. */
export function addressesOf(connection: Connection): readonly string[] {
  return [...new Set([connection.hub_addr, ...(connection.peers ?? [])])];
}

/**
 * Those of the addresses a hub names that a client may go to: well-formed, and never without TLS for one that came with it, or the
 * token would travel in the clear.
 */
export function usableAddresses(named: readonly string[], current: string): readonly string[] {
  const { secure } = parseHubAddress(current);
  return named.flatMap((text) => {
    try {
      const address = parseHubAddress(text, secure);
      return secure && !address.secure ? [] : [address.url];
    } catch (error) {
      if (error instanceof HubError) return []; // What is no address is no use; the others are.
      throw error;
    }
  });
}

/** However many are silent, the last address is tried after this long: a node that finds no leader has most of the time to say so. */
const ALL_TRIED_MS = 1_000;

/** What a hub said explains more than that another one was not reached. */
function mostTelling(errors: readonly HubError[]): HubError {
  const said = errors.find(({ code }) => code !== 'unreachable');
  return said ?? errors[0] ?? new HubError('config', 'The connection holds no address.');
}

/**
 * The first address that answers. The next one is tried as soon as one has failed, or has been silent for a while; that one goes on
 * meanwhile, because it may only be slow.
 * @throws HubError when none has answered in time; the signal's reason
 */
export async function openAny(connection: Connection, timeoutMs: number, signal?: AbortSignal): Promise<HubSession> {
  const { token, ca, fingerprint } = connection;
  const addresses = addressesOf(connection);
  const end = performance.now() + timeoutMs;
  const pauseMs = Math.min(ALL_TRIED_MS, timeoutMs / 2) / addresses.length;
  return firstToOpen(addresses, pauseMs, signal, (address, wanted) =>
    openSession({ address, token, ca, fingerprint, signal: wanted, timeoutMs: Math.max(1, end - performance.now()) }),
  );
}

async function firstToOpen(
  addresses: readonly string[],
  pauseMs: number,
  signal: AbortSignal | undefined,
  open: (address: string, wanted: AbortSignal) => Promise<HubSession>,
): Promise<HubSession> {
  const decided = new AbortController();
  const wanted = AbortSignal.any([decided.signal, ...(signal === undefined ? [] : [signal])]);
  const untried = [...addresses];
  const failures: HubError[] = [];
  let pause: NodeJS.Timeout | undefined;
  return new Promise<HubSession>((resolve, reject) => {
    const opened = (session: HubSession): void => {
      clearTimeout(pause);
      // Two may answer at the same moment.
      if (decided.signal.aborted) session.terminate();
      else decided.abort(new HubError('going_away', 'Another address answered first.'));
      resolve(session);
    };
    const failed = (error: unknown): void => {
      failures.push(asHubError(error));
      if (signal?.aborted === true || failures.length === addresses.length) {
        clearTimeout(pause);
        reject(mostTelling(failures));
      } else tryNext();
    };
    const tryNext = (): void => {
      clearTimeout(pause);
      const address = untried.shift();
      if (address === undefined || wanted.aborted) return;
      if (untried.length > 0) pause = setTimeout(tryNext, pauseMs);
      open(address, wanted).then(opened, failed);
    };
    tryNext();
  });
}
