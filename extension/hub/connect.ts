/** Connecting a project: to the hub of this machine with one click, or to any hub by address and admin token. */
import * as vscode from 'vscode';
import { isProjectName } from '../../core/entry';
import { HubError } from '../../core/errors';
import { parseHubAddress } from '../../core/hub-address';
import { defaultClientName } from '../../core/node/client-name';
import { defaultProjectName } from '../../core/node/project-directory';
import { connectionBefore, isRegistered, register, type Registration } from '../../core/node/registration';
import type { App } from '../app';
import { describeError, tick } from '../notify';
import { oneLine } from '../one-line';
import type { Project } from '../project/project';
import { setting } from '../settings';
import { trustOf } from './local-hub';

const CONNECT_TITLE = vscode.l10n.t('Connect to a Hub');

async function finish(app: App, project: Project, registration: Registration): Promise<void> {
  await register(project.paths, app.env, registration);
  await app.consent.give(project.paths);
  await app.sharing.nameHub(project, registration.address);
  await project.refresh();
  app.log.info(`${project.name}: connected to ${registration.address} as ${registration.project}`);
  tick(vscode.l10n.t('{0} is connected to {1}', registration.project, registration.address));
}

function askName(value: string, prompt: string, step = ''): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: `${CONNECT_TITLE} ${step}`.trim(),
    prompt,
    value,
    ignoreFocusOut: true,
    validateInput: (text) =>
      isProjectName(text.trim())
        ? undefined
        : vscode.l10n.t('Use 1 to 64 characters of a-z 0-9 . _ - and begin with a letter or digit.'),
  });
}

/** Whether another folder of this machine has that name at that hub: registering would take its place. */
async function wouldReplace(app: App, { paths }: Project, registration: Registration): Promise<boolean> {
  const taken = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Connecting to {0}', registration.address) },
    () => isRegistered(registration),
  );
  const before = await connectionBefore(paths, app.env);
  return taken && !(before?.hub_addr === registration.address && before.project === registration.project);
}

const replaces = ({ project }: Registration): string =>
  vscode.l10n.t(
    'A project "{0}" of this machine is connected already. Keep the name to take its place, or choose another one.',
    project,
  );

/** Starts the hub of this machine when needed and connects the project, with no token typed. */
export async function connectToLocalHub(app: App, project: Project): Promise<void> {
  const hub = await app.hub.start();
  const adminToken = await app.hub.adminToken();
  if (adminToken === undefined) {
    throw new HubError(
      'config',
      `The local hub keeps no admin token in ${app.hub.dataDir}. Use "Connect to a Hub…" and enter it.`,
    );
  }
  const draft = {
    address: hub.address,
    adminToken,
    project: defaultProjectName(project.paths.root),
    client: defaultClientName(app.env),
    trust: trustOf(hub),
  };
  const name = (await wouldReplace(app, project, draft))
    ? await askName(draft.project, replaces(draft))
    : draft.project;
  if (name !== undefined) await finish(app, project, { ...draft, project: name.trim() });
}

function addressProblem(text: string): string | undefined {
  try {
    parseHubAddress(text);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/** The hub does not take the token: another one may do. */
function isAboutToken(error: unknown): error is HubError {
  return error instanceof HubError && (error.code === 'unauthenticated' || error.code === 'forbidden');
}

function askAddress(value: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: `${CONNECT_TITLE} (1/3)`,
    prompt: vscode.l10n.t('Address of the hub: host, host:port, ws://… or wss://…'),
    value,
    placeHolder: 'hub.example.org:9900',
    ignoreFocusOut: true,
    validateInput: addressProblem,
  });
}

/** Asks until `tryIt` is content: what is wrong with address or token is said at once, and only the token asked again. */
async function askToken<T>(tryIt: (token: string) => Promise<T>): Promise<T | undefined> {
  let prompt = vscode.l10n.t('Admin token: the operator of the hub has it. It is used once and not kept.');
  for (;;) {
    const title = `${CONNECT_TITLE} (2/3)`;
    const token = await vscode.window.showInputBox({ title, prompt, password: true, ignoreFocusOut: true });
    if (token === undefined || token.trim() === '') return undefined;
    try {
      return await tryIt(token.trim());
    } catch (error) {
      if (!isAboutToken(error)) throw error;
      prompt = `${oneLine(error.message)} ${vscode.l10n.t('Try another one.')}`;
    }
  }
}

/** Address, then token, then name. The token is used once and forgotten; it is in no setting, argument or log. */
export async function connectToHub(app: App, project: Project): Promise<void> {
  const typed = await askAddress(project.connection?.address ?? setting('ctxHub.connection.defaultAddress'));
  if (typed === undefined) return;
  const address = parseHubAddress(typed).url;
  const before = await connectionBefore(project.paths, app.env);
  const { ca, fingerprint } = before?.hub_addr === address ? before : {};
  const known = {
    address,
    project: before?.project ?? defaultProjectName(project.paths.root),
    client: defaultClientName(app.env),
    trust: { ...(ca === undefined ? {} : { ca }), ...(fingerprint === undefined ? {} : { fingerprint }) },
  };
  const tried = await askToken(async (adminToken) => {
    const draft = { ...known, adminToken };
    return { draft, taken: await wouldReplace(app, project, draft) };
  });
  if (tried === undefined) return;
  const { draft, taken } = tried;
  const prompt = taken ? replaces(draft) : vscode.l10n.t('Name of this project, as others see it.');
  const name = await askName(draft.project, prompt, '(3/3)');
  if (name !== undefined) await finish(app, project, { ...draft, project: name.trim() });
}
