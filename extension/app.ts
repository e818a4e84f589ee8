/** The parts of the extension, as commands see them. */
import type * as vscode from 'vscode';
import type { FeedController } from './feed/feed-controller';
import type { FeedView } from './feed/feed-view';
import type { HubService } from './hub/hub-service';
import type { ConnectionConsent } from './project/consent';
import type { Projects } from './project/projects';
import type { Sharing } from './share/sharing';
import type { StatusBar } from './status-bar';

export interface App {
  readonly context: vscode.ExtensionContext;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: vscode.LogOutputChannel;
  readonly version: string;
  readonly projects: Projects;
  readonly consent: ConnectionConsent;
  readonly view: FeedView;
  readonly feed: FeedController;
  readonly hub: HubService;
  readonly sharing: Sharing;
  readonly statusBar: StatusBar;
}
