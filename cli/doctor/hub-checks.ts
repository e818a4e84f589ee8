/** What `ctx doctor` looks at between here and the hub, step by step (FM-60), and how the two clocks differ (FM-51). */
import { CONNECT_STEPS, HubError, type ConnectStep } from '../../core/errors';
import { clientIdOf, readConnection, type Connection } from '../../core/node/connection-file';
import { STEP_ADVICE } from '../../core/node/hub-connect';
import { openSession, type HubSession } from '../../core/node/hub-session';
import { readMirrorState } from '../../core/node/mirror-state';
import type { ProjectPaths } from '../../core/node/project-directory';
import { addressesOf } from '../../core/node/open-any';
import type { ProgramIo } from '../../core/program';
import { shown } from '../output';
import { failed, looked, ok, skipped, warning, type Check, type CheckName } from './check';
import { isSkewed } from '../clock-skew';

const AFTER_THE_STEPS: readonly CheckName[] = ['role', 'history', 'clock'];

interface Reached {
  readonly session: HubSession;
  /** Addresses that did not answer before this one did. */
  readonly unreached: readonly HubError[];
}

export async function checkConnection(
  paths: ProjectPaths,
  io: ProgramIo,
): Promise<{ readonly check: Check; readonly connection: Connection | undefined }> {
  try {
    const connection = await readConnection(paths, io.env);
    if (connection === undefined) {
      const check = {
        ...skipped('connection', 'not connected to a hub'),
        next: 'Connect: ctx connection register <address>',
      };
      return { check, connection };
    }
    const { project, client, hub_addr } = connection;
    return { check: ok('connection', `project ${project} as ${client} at ${shown(hub_addr)}`), connection };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const next = 'Register again: ctx connection register <address>.';
    return { check: failed('connection', withoutAdvice(error, next), next, error.facts.exit), connection: undefined };
  }
}

/** What happened, without what to do about it, which has a line of its own. */
function withoutAdvice(error: HubError, advice: string): string {
  return shown(error.message.replace(advice, '').trim().replace(/\.$/, ''));
}

async function reach(connection: Connection, io: ProgramIo): Promise<Reached | HubError> {
  const { token, ca, fingerprint } = connection;
  const unreached: HubError[] = [];
  // All at once: several that are silent hold nobody up longer than one.
  const tries = addressesOf(connection).map((address) =>
    openSession({ address, token, ca, fingerprint, signal: io.signal }).catch((error: unknown) => {
      if (error instanceof HubError) return error;
      throw error;
    }),
  );
  for (const [at, attempt] of tries.entries()) {
    const session = await attempt;
    if (session instanceof HubError) unreached.push(session);
    else {
      for (const rest of tries.slice(at + 1)) void rest.then((other) => other instanceof HubError || other.terminate());
      return { session, unreached };
    }
  }
  return unreached[0] ?? new HubError('config', 'The connection holds no address.', { step: 'address' });
}

/** Steps before the failing one went well, those after it were not tried. */
function failedSteps(error: HubError, secure: boolean): Check[] {
  const at = CONNECT_STEPS.indexOf(error.step ?? 'protocol');
  return CONNECT_STEPS.flatMap((step, index): Check[] => {
    if (step === 'tls' && !secure && index !== at) return [];
    if (index < at) return [ok(step, 'worked')];
    if (index > at) return [skipped(step, 'not tried')];
    const advice = STEP_ADVICE[step];
    return [failed(step, withoutAdvice(error, advice), advice, error.facts.exit)];
  });
}

function workedSteps({ session, unreached }: Reached): Check[] {
  const secure = session.address.startsWith('wss:');
  const words: Readonly<Record<ConnectStep, string>> = {
    address: session.address,
    dns: 'the name was resolved',
    tcp: 'the connection stands',
    tls: 'the certificate is the expected one',
    http: 'a hub answered',
    auth: 'the token is accepted',
    protocol: `hub ${shown(session.hello.hub)} speaks version ${session.hello.versions.join(', ')}`,
  };
  const steps = CONNECT_STEPS.filter((step) => secure || step !== 'tls').map((step) => ok(step, words[step]));
  const [first] = unreached;
  if (first === undefined) return steps;
  const step = first.step ?? 'tcp';
  const what = `another address of this hub does not answer: ${withoutAdvice(first, STEP_ADVICE[step])}`;
  return steps.map((each) => (each.name === 'address' ? warning('address', what, STEP_ADVICE[step]) : each));
}

async function checkRole(session: HubSession): Promise<Check> {
  const { role } = session.hello;
  try {
    const { problems, version } = await session.status();
    const [first] = problems;
    if (first === undefined) return ok('role', `${role}, version ${shown(version)}`);
    return warning('role', `the hub reports: ${shown(first)}`, 'Tell its operator: "ctx hub status" there says more.');
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return warning('role', `${role}; its status was not told: ${shown(error.message)}`, 'Try again.');
  }
}

async function checkHistory(session: HubSession, connection: Connection, paths: ProjectPaths): Promise<Check> {
  const cursor = (await readMirrorState(paths))?.cursor ?? undefined;
  const { head, hub } = session.hello;
  const next = 'Read it anew: ctx connection sync';
  if (hub !== connection.hub_id)
    return warning('history', `another hub than the one known here (${shown(connection.hub_id)})`, next);
  if (session.hello.access?.pending === true) {
    const operator = `The hub's operator lets it read, on the hub's machine: ctx hub client approve ${clientIdOf(connection)}`;
    return warning(
      'history',
      "this client waits for the operator's approval: it publishes, and reads nothing",
      operator,
    );
  }
  if (cursor === undefined) return ok('history', `nothing read yet; the hub is at #${head.sequence}`);
  try {
    await session.syncPage({ cursor, to: cursor });
    return ok('history', `read up to #${cursor.sequence}; the hub is at #${head.sequence}`);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const what = `the hub was restored: it is at #${head.sequence}, known here is #${cursor.sequence}`;
    return warning('history', error.code === 'diverged' ? what : shown(error.message), next);
  }
}

function checkClock({ clockOffsetMs }: HubSession): Check {
  const seconds = Math.round(Math.abs(clockOffsetMs) / 1_000);
  const what = `this machine's clock is ${seconds} s ${clockOffsetMs > 0 ? 'behind' : 'ahead of'} the hub's`;
  if (!isSkewed(clockOffsetMs)) return ok('clock', what);
  return warning(
    'clock',
    what,
    'Let both set their clocks by NTP; nothing is lost meanwhile, times are shown as skewed.',
  );
}

export async function checkHub(connection: Connection, paths: ProjectPaths, io: ProgramIo): Promise<Check[]> {
  const reached = await reach(connection, io);
  if (reached instanceof HubError) {
    const secure = connection.hub_addr.startsWith('wss:');
    return [...failedSteps(reached, secure), ...AFTER_THE_STEPS.map((name) => skipped(name, 'no hub to ask'))];
  }
  const { session } = reached;
  try {
    return [
      ...workedSteps(reached),
      await checkRole(session),
      await looked('history', () => checkHistory(session, connection, paths)),
      checkClock(session),
    ];
  } finally {
    await session.close();
  }
}
