/** `ctx lsp --stdio`: the language server, as an editor other than VS Code starts it. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  DidOpenTextDocumentNotification,
  DocumentSymbolRequest,
  ExitNotification,
  InitializedNotification,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type Diagnostic,
  type DocumentSymbol,
  type ProtocolConnection,
} from 'vscode-languageserver/node';
import { CTX, removeTempDirs, run, tempDir, until, userEnv, type Running } from '../support/processes';
import { newProject, succeeded, type CliProject } from '../support/projects';

const DEADLINE_MS = 30_000;

describe('ctx lsp', function () {
  this.timeout(120_000);
  after(removeTempDirs);

  function startServer({ dir, env }: CliProject): { readonly server: Running; readonly editor: ProtocolConnection } {
    const server = run([process.execPath, CTX, 'lsp', '--stdio'], { cwd: dir, env });
    const { stdin, stdout } = server.process as ChildProcess & {
      readonly stdin: NodeJS.WritableStream;
      readonly stdout: NodeJS.ReadableStream;
    };
    const editor = createProtocolConnection(new StreamMessageReader(stdout), new StreamMessageWriter(stdin));
    editor.listen();
    return { server, editor };
  }

  it('tells an editor what is wrong with an entry and what is in the file, and ends when it is told to', async () => {
    const project = await newProject('alpha');
    const { server, editor } = startServer(project);
    const told: Diagnostic[] = [];
    editor.onNotification(PublishDiagnosticsNotification.type, ({ diagnostics }) => void told.push(...diagnostics));
    await editor.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
    await editor.sendNotification(InitializedNotification.type, {});
    const uri = pathToFileURL(project.file('DECISIONS.md')).href;
    const text = '# Decisions\n\n## [2026-01-02-030405] Use UTC ö\n\n**Context**: TBD\n\n**Consequence**: one clock\n';
    const textDocument = { uri, languageId: 'markdown', version: 1, text };
    await editor.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    await until('it says what is wrong', () => told.length > 0, DEADLINE_MS);
    assert.ok(
      told.some(({ message }) => JSON.stringify(message).includes('Rationale')),
      JSON.stringify(told),
    );
    const symbols = (await editor.sendRequest(DocumentSymbolRequest.type, { textDocument: { uri } })) ?? [];
    assert.deepEqual(
      (symbols as DocumentSymbol[]).map(({ name }) => name),
      ['Use UTC ö'],
    );
    await editor.sendRequest(ShutdownRequest.type);
    await editor.sendNotification(ExitNotification.type);
    assert.equal((await server.finished).code, 0);
  });

  it('ends when its editor is gone', async () => {
    const { server, editor } = startServer(await newProject('alpha'));
    await editor.sendRequest('initialize', { processId: null, rootUri: null, capabilities: {} });
    server.process.stdin?.end();
    assert.notEqual((await server.finished).code, null);
  });

  it('says to a person what it is for', async () => {
    const home = tempDir('ctx-lsp');
    const alone = run([process.execPath, CTX, 'lsp'], { cwd: home, env: userEnv(home) });
    const { code, stdout, stderr } = await alone.finished;
    assert.deepEqual([code, stdout], [64, '']);
    assert.match(stderr, /ctx lsp --stdio/);
    succeeded(await run([process.execPath, CTX, 'lsp', '--help'], { cwd: home, env: userEnv(home) }).finished);
  });
});
