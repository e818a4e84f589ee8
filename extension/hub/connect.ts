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
import type { Project } from '../project/project';
import { setting } from '../settings';

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
    title: `${vscode.l10n.t('Connect to a Hub')} ${step}`.trim(),
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

/** Address, then token, then name. The token is used once and forgotten; it is in no setting, argument or log. */
export async function connectToHub(app: App, project: Project): Promise<void> {
  const title = vscode.l10n.t('Connect to a Hub');
  const address = await vscode.window.showInputBox({
    title: `${title} (1/3)`,
    prompt: vscode.l10n.t('Address of the hub: host, host:port, ws://… or wss://…'),
    value: project.connection?.address ?? setting('ctxHub.connection.defaultAddress'),
    placeHolder: 'hub.example.org:9900',
    ignoreFocusOut: true,
    validateInput: addressProblem,
  });
  if (address === undefined) return;
  const adminToken = await vscode.window.showInputBox({
    title: `${title} (2/3)`,
    prompt: vscode.l10n.t('Admin token: the operator of the hub has it. It is used once and not kept.'),
    password: true,
    ignoreFocusOut: true,
  });
  if (adminToken === undefined || adminToken.trim() === '') return;
  const { url } = parseHubAddress(address);
  const before = await connectionBefore(project.paths, app.env);
  const { ca, fingerprint } = before?.hub_addr === url ? before : {};
  const draft = {
    address: url,
    adminToken: adminToken.trim(),
    project: project.connection?.project ?? defaultProjectName(project.paths.root),
    client: defaultClientName(app.env),
    trust: { ...(ca === undefined ? {} : { ca }), ...(fingerprint === undefined ? {} : { fingerprint }) },
  };
  // Address and token are tried before the last question: what is wrong with them is said at once.
  const prompt = (await wouldReplace(app, project, draft))
    ? replaces(draft)
    : vscode.l10n.t('Name of this project, as others see it.');
  const name = await askName(draft.project, prompt, '(3/3)');
  if (name !== undefined) await finish(app, project, { ...draft, project: name.trim() });
}
