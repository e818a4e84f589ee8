/** `ctx connection register`: exchanges the hub's admin token for a token of this project and seals it. */
import path from 'node:path';
import type { Command } from 'commander';
import { isClientName, isProjectName } from '../../../core/entry';
import { HubError } from '../../../core/errors';
import { requireFingerprint } from '../../../core/fingerprint';
import { isLoopbackHost, parseHubAddress } from '../../../core/hub-address';
import { defaultClientName } from '../../../core/node/client-name';
import type { Connection } from '../../../core/node/connection-file';
import { defaultProjectName, type ProjectPaths } from '../../../core/node/project-directory';
import { connectionBefore, register as registerProject, type Trust } from '../../../core/node/registration';
import { readSmallFile } from '../../../core/node/small-file';
import type { ProgramIo } from '../../../core/program';
import { adminToken } from './admin-token';
import { jsonAnswer } from '../../output';
import { projectOf, type ConnectionContext } from './context';

interface Flags {
  readonly project?: string;
  readonly client?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly peers?: string;
  readonly ca?: string;
  readonly fingerprint?: string;
  readonly json?: boolean;
  readonly input: boolean;
}

const EXAMPLES = `
Examples:
  $ ctx connection register localhost --token-file ~/.ctx/hub-data/admin.token
  $ ssh hub cat .ctx/hub-data/admin.token | ctx connection register hub.example:9900 -
  $ ctx connection register wss://hub.example --ca team-ca.pem --project api
`;

function named(
  flags: Flags,
  paths: ProjectPaths,
  before: Connection | undefined,
  env: ProgramIo['env'],
): { project: string; client: string } {
  const project = flags.project ?? before?.project ?? defaultProjectName(paths.root);
  const client = flags.client ?? before?.client ?? defaultClientName(env);
  if (!isProjectName(project)) {
    throw new HubError(
      'usage',
      `"${project}" is no project name: up to 64 of a-z 0-9 . _ - beginning with a letter or digit.`,
    );
  }
  if (!isClientName(client)) {
    throw new HubError(
      'usage',
      `"${client}" is no client name: a-z 0-9 . _ @ - beginning with a letter or digit, such as ada@laptop.`,
    );
  }
  return { project, client };
}

function readCa(io: ProgramIo, file: string): string {
  const full = path.resolve(io.cwd, file);
  const pem = readSmallFile(full);
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new HubError('usage', `${full} holds no certificate: a PEM file with "BEGIN CERTIFICATE" is needed.`);
}

function trustOf(flags: Flags, io: ProgramIo): Trust {
  return {
    ...(flags.ca === undefined ? {} : { ca: readCa(io, flags.ca) }),
    ...(flags.fingerprint === undefined ? {} : { fingerprint: requireFingerprint(flags.fingerprint) }),
  };
}

const isGiven = ({ ca, fingerprint }: Trust): boolean => ca !== undefined || fingerprint !== undefined;

/**
 * The same address again, without a scheme, means the same way to it: else the admin token would go in clear to a hub that
 * is known to speak TLS.
 */
function trustBefore(address: string, before: Connection | undefined): Trust | undefined {
  if (address.includes('://') || parseHubAddress(address, true).url !== before?.hub_addr) return undefined;
  const { ca, fingerprint } = before;
  return { ...(ca === undefined ? {} : { ca }), ...(fingerprint === undefined ? {} : { fingerprint }) };
}

function peerList(flags: Flags, secure: boolean): string[] {
  const given = (flags.peers ?? '').split(',').filter((each) => each.trim() !== '');
  return given.map((each) => parseHubAddress(each, secure).url);
}

async function register(
  address: string,
  stdin: string | undefined,
  flags: Flags,
  context: ConnectionContext,
): Promise<void> {
  const { io } = context;
  const paths = projectOf(context);
  if (stdin !== undefined && stdin !== '-') {
    throw new HubError(
      'usage',
      'The token is no argument, others could see it: use --token-file, "-" or CTX_ADMIN_TOKEN.',
    );
  }
  const before = await connectionBefore(paths, io.env);
  const given = trustOf(flags, io);
  const trust = isGiven(given) ? given : trustBefore(address, before);
  const secure = trust !== undefined;
  const parsed = parseHubAddress(address, secure);
  const hub_addr = parsed.url;
  if (!parsed.secure && !isLoopbackHost(parsed.host)) warnInClear(hub_addr, io);
  const peers = peerList(flags, secure);
  const { project, client } = named(flags, paths, before, io.env);
  const admin = await adminToken(io, { ...flags, fromStdin: stdin === '-' });
  const registration = {
    ...{ address: hub_addr, adminToken: admin, project, client, peers, signal: io.signal },
    ...(trust === undefined ? {} : { trust }),
  };
  const { connection, clientId, replaced } = await registerProject(paths, io.env, registration);
  report({ address: hub_addr, project, client, client_id: clientId, hub: connection.hub_id, replaced }, flags, context);
}

/** The hub warns its operator of the same; who types an address here may be somebody else. */
function warnInClear(url: string, io: ProgramIo): void {
  io.stderr(
    `ctx: warning: ${url} is not encrypted: whoever sees this network can read the admin token and every entry. ` +
      'If the hub has a certificate, write wss://, or give --ca or --fingerprint.\n',
  );
}

interface Registered {
  readonly address: string;
  readonly project: string;
  readonly client: string;
  readonly client_id: string;
  readonly hub: string;
  /** See `Registered` of the library. */
  readonly replaced: boolean;
}

function report(registered: Registered, flags: Flags, { io }: ConnectionContext): void {
  if (registered.replaced) {
    io.stderr(
      `ctx: warning: ${registered.client} was registered for project ${registered.project} already, not from this folder; that token no ` +
        'longer works. If it was another person or machine, register here again with --client <name>, and there once more.\n',
    );
  }
  if (flags.json === true) {
    io.stdout(jsonAnswer('registered', registered));
    return;
  }
  const { project, client, address } = registered;
  io.stdout(`Registered project ${project} as client ${client} at ${address}\n`);
  io.stderr('Share with "ctx add … --share", follow others with "ctx connection listen".\n');
}

export function addRegisterCommand(connection: Command, context: ConnectionContext): void {
  connection
    .command('register')
    .description('connect this project to a hub; safe to repeat')
    .argument('<address>', 'host, host:port, ws://… or wss://…')
    .argument('[-]', 'read the admin token from standard input')
    .option('--project <name>', "name that others see as origin (default: the repository folder's name)")
    .option('--client <name>', 'name of this person and machine (default: user@host)')
    .option('--token <token>', 'the admin token; other users of this machine may see it, better are the other ways')
    .option('--token-file <file>', 'file that holds the admin token; - = standard input')
    .option('--peers <addresses>', 'more addresses of the same hub, separated by commas')
    .option('--ca <file>', 'PEM certificates to trust instead of those of the system')
    .option('--fingerprint <sha256>', "fingerprint of the hub's certificate, to trust just that one")
    .option('--no-input', 'never ask')
    .option('--json', 'answer as JSON')
    .addHelpText('after', EXAMPLES)
    .action((address: string, stdin: string | undefined, flags: Flags) => register(address, stdin, flags, context));
}
