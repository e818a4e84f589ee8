/** Runs the language server beside the editor, and keeps it told what is shared. */
import type * as vscode from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import { SHARES_NOTIFICATION, type ProjectShares } from './share-states';

const PATTERN = '**/.context/**/*.md';

export class LanguageService implements vscode.Disposable {
  readonly #client: LanguageClient;
  #started: Promise<void> | undefined;

  constructor(
    serverModule: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const run = { module: serverModule, transport: TransportKind.ipc };
    this.#client = new LanguageClient(
      'ctxHub',
      'ctx Hub',
      { run, debug: run },
      { documentSelector: [{ scheme: 'file', language: 'markdown', pattern: PATTERN }], outputChannel: log },
    );
  }

  start(): Promise<void> {
    this.#started ??= this.#client.start().catch((error: unknown) => {
      this.log.error(`the language server did not start: ${String(error)}`);
    });
    return this.#started;
  }

  async tell(shares: ProjectShares): Promise<void> {
    await this.start();
    if (this.#client.isRunning()) await this.#client.sendNotification(SHARES_NOTIFICATION, shares);
  }

  async close(): Promise<void> {
    await this.#started;
    if (this.#client.isRunning()) await this.#client.stop();
  }

  dispose(): void {
    void this.close();
  }
}
