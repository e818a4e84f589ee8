/**
 * A node that does not belong to a cluster yet, as its own machine meets it: hub.json says where it is and what it waits for, and its
 * port answers for its health and takes a stop. File, routes and secret are those of a hub that serves.
 */
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import { hubUrl } from '../core/hub-address';
import { removeHubFile } from '../core/node/local-hub/hub-file';
import { instanceOf } from '../core/node/local-hub/instance';
import type { Audit } from './audit';
import type { HubConfig } from './config';
import type { FormingView } from './engine/raft/formation-door';
import { AuthThrottle } from './server/auth-throttle';
import { Authenticator, type KeptToken } from './server/authenticator';
import { Gate } from './server/gate';
import { httpRoutes } from './server/http-routes';

export interface FormingHubParts {
  readonly config: HubConfig;
  readonly nonce: string;
  readonly control: KeptToken;
  readonly audit: Audit;
  readonly log: Logger;
  readonly writeFile: (at: {
    readonly address: string;
    readonly port: number;
    readonly waiting: string;
  }) => Promise<void>;
  readonly onWaiting: (message: string) => void;
  readonly stop: () => void;
  readonly crash: (error: unknown) => void;
}

export class FormingHub implements FormingView {
  readonly answer: RequestListener;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly parts: FormingHubParts) {
    const { config, nonce, control, audit, log, stop, crash } = parts;
    const auth = new Authenticator({ find: () => undefined, list: () => [] }, undefined, control);
    this.answer = httpRoutes({
      gate: new Gate(config.guard, auth, new AuthThrottle(), audit, log),
      health: () => ({ ok: false, degraded: true, instance: instanceOf(nonce) }),
      isReady: () => false,
      status: undefined,
      metrics: undefined,
      control: new Map([
        [
          'stop',
          () => {
            stop();
            return Promise.resolve({ stopping: true });
          },
        ],
      ]),
      crash,
    });
  }

  waiting(message: string): void {
    const { config, writeFile, onWaiting, log } = this.parts;
    const { host, port, tls } = config;
    onWaiting(message);
    const address = hubUrl({ secure: tls !== undefined, host, port });
    this.writing = this.writing
      .then(() => writeFile({ address, port, waiting: message }))
      .catch((error: unknown) => log.warn({ err: error }, 'hub.json was not written: only a signal ends this node'));
  }

  async done(): Promise<void> {
    await this.writing;
    removeHubFile(this.parts.config.dataDir);
  }
}
