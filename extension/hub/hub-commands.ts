/** The commands about hubs: the one on this machine, connections, subscriptions, what waits. */
import * as vscode from 'vscode';
import { ENTRY_TYPES } from '../../core/entry';
import { requireConnection, writeConnection } from '../../core/node/connection-file';
import { shareEntries } from '../../core/node/share';
import type { App } from '../app';
import type { Handler } from '../commands';
import type { CommandId } from '../names';
import { confirm, inform, tick, warn } from '../notify';
import { requireConnected, requireProject, requireTrust } from '../project/choose';
import { TYPE_LABELS } from '../share/fields';
import { connectToHub, connectToLocalHub } from './connect';
import { showHubStatus } from './hub-status';

/** Starting a hub in a project that has none is meant for that project. */
async function startLocalHub(app: App): Promise<void> {
  if (!(await requireTrust())) return;
  const running = await app.hub.find();
  const unconnected = app.projects.all.filter(({ status }) => status.kind === 'notConnected');
  // Also when it runs already: from now on it is wanted.
  const hub = await app.hub.start();
  for (const project of unconnected) await connectToLocalHub(app, project);
  await app.projects.refreshAll();
  app.projects.nudgeAll();
  if (unconnected.length > 0) return;
  tick(
    running === undefined
      ? vscode.l10n.t('The local hub runs on {0}', hub.address)
      : vscode.l10n.t('The local hub runs already, on {0}', hub.address),
  );
}

async function stopLocalHub(app: App): Promise<void> {
  if (!(await requireTrust())) return;
  const running = await app.hub.find();
  if (running === undefined) {
    await inform(vscode.l10n.t('No local hub is running.'));
    return;
  }
  const sure = await confirm(
    vscode.l10n.t('Stop the local hub on {0}?', running.address),
    vscode.l10n.t(
      'All windows and projects of this machine share it. What they share meanwhile waits until it runs again.',
    ),
    vscode.l10n.t('Stop'),
  );
  if (!sure) return;
  await app.hub.stop();
  tick(vscode.l10n.t('The local hub has stopped'));
}

async function connectLocal(app: App): Promise<void> {
  const project = await requireProject(app);
  if (project !== undefined) await connectToLocalHub(app, project);
}

async function connect(app: App): Promise<void> {
  const project = await requireProject(app);
  if (project !== undefined) await connectToHub(app, project);
}

async function chooseSubscriptions(app: App): Promise<void> {
  const project = await requireConnected(app);
  const { connection } = project ?? {};
  if (project === undefined || connection === undefined) return;
  const items = ENTRY_TYPES.map((type) => ({
    label: `${TYPE_LABELS[type]}s`,
    type,
    picked: connection.types.includes(type),
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Choose Subscriptions: {0}', project.name),
    placeHolder: vscode.l10n.t('What of other projects is to arrive here?'),
    canPickMany: true,
  });
  if (picked === undefined) return;
  const types = picked.map((item) => item.type);
  const stored = await requireConnection(project.paths, app.env);
  await writeConnection(project.paths, app.env, { ...stored, types });
  await app.consent.give(project.paths);
  await project.refresh();
}

async function publishPending(app: App): Promise<void> {
  const project = await requireConnected(app);
  if (project === undefined) return;
  const before = project.shares.pending;
  if (before === 0) {
    tick(vscode.l10n.t('Nothing is pending'));
    return;
  }
  // With no entry of its own it sends what waits.
  await shareEntries(project.paths.root, [], { env: app.env });
  // A hub that answers here is back for the feed as well.
  project.nudge();
  await project.refresh();
  const left = project.shares.pending;
  if (left === 0) tick(vscode.l10n.t('{0} shared', before));
  else {
    const reason = project.status.kind === 'connected' ? project.status.sync.lastError?.message : undefined;
    await warn(vscode.l10n.t('{0} still pending. {1}', left, reason ?? ''), {
      title: vscode.l10n.t('Show Log'),
      run: () => app.log.show(),
    });
  }
}

type HubCommand = Extract<
  CommandId,
  | 'startLocalHub'
  | 'stopLocalHub'
  | 'connect'
  | 'connectLocal'
  | 'chooseSubscriptions'
  | 'publishPending'
  | 'showHubStatus'
>;

export function hubCommands(app: App): Readonly<Record<HubCommand, Handler>> {
  return {
    startLocalHub: () => startLocalHub(app),
    stopLocalHub: () => stopLocalHub(app),
    connectLocal: () => connectLocal(app),
    connect: () => connect(app),
    chooseSubscriptions: () => chooseSubscriptions(app),
    publishPending: () => publishPending(app),
    showHubStatus: () => showHubStatus(app),
  };
}
