/** The language server's process: the features of `.context` files over the Language Server Protocol. */
import { fileURLToPath } from 'node:url';
import {
  CodeLensRefreshRequest,
  createConnection,
  ProposedFeatures,
  TextDocuments,
  TextDocumentSyncKind,
  type CodeLens,
  type InitializeResult,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { diagnose } from '../../core/context/diagnose';
import type { ContextDocument, ContextEntry } from '../../core/context/model';
import { parseContext } from '../../core/context/parse';
import { localIdOf } from '../../core/node/local-entries';
import { contentHash } from '../../core/node/sha256';
import { contextFile, scannedAs, type ContextFile } from './context-file';
import { diagnosticsOf, foldsOf, lensesOf, symbolsOf } from './features';
import { localState, SHARES_NOTIFICATION, type LocalShareState, type ProjectShares } from './share-states';

const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments(TextDocument);
const shares = new Map<string, ProjectShares>();
let canRefreshLenses = false;

interface Scanned {
  readonly text: TextDocument;
  readonly file: ContextFile;
  readonly document: ContextDocument;
}

/** One scan per version of a document, whatever the editor asks for. */
const scans = new Map<string, { readonly version: number; readonly scanned: Scanned }>();

function scan(uri: string): Scanned | undefined {
  const text = documents.get(uri);
  if (text === undefined || !uri.startsWith('file:')) return undefined;
  const known = scans.get(uri);
  if (known?.version === text.version) return known.scanned;
  const file = contextFile(fileURLToPath(uri));
  if (file === undefined) return undefined;
  const scanned = { text, file, document: parseContext(scannedAs(file), text.getText()) };
  scans.set(uri, { version: text.version, scanned });
  return scanned;
}

function stateOf(project: ProjectShares, entry: ContextEntry): LocalShareState {
  return localState(project.states[localIdOf(entry, project.project)], contentHash(entry.content));
}

function lenses(uri: string): CodeLens[] {
  const scanned = scan(uri);
  if (scanned?.file.role !== 'truth') return [];
  const project = shares.get(scanned.file.root);
  if (project === undefined) return [];
  return lensesOf(scanned.text, scanned.document, (entry) => stateOf(project, entry));
}

function publishDiagnostics(text: TextDocument): void {
  const scanned = scan(text.uri);
  const problems = scanned?.file.role === 'truth' ? diagnose(scanned.document, text.getText()) : [];
  void connection.sendDiagnostics({
    uri: text.uri,
    version: text.version,
    diagnostics: diagnosticsOf(text, problems),
  });
}

connection.onInitialize(({ capabilities }): InitializeResult => {
  canRefreshLenses = capabilities.workspace?.codeLens?.refreshSupport === true;
  return {
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      codeLensProvider: {},
    },
  };
});

connection.onDocumentSymbol(({ textDocument }) => {
  const scanned = scan(textDocument.uri);
  return scanned && symbolsOf(scanned.text, scanned.document);
});
connection.onFoldingRanges(({ textDocument }) => {
  const scanned = scan(textDocument.uri);
  return scanned && foldsOf(scanned.text, scanned.document);
});
connection.onCodeLens(({ textDocument }) => lenses(textDocument.uri));
connection.onNotification(SHARES_NOTIFICATION, (project: ProjectShares) => {
  shares.set(project.root.replaceAll('\\', '/'), project);
  if (canRefreshLenses) void connection.sendRequest(CodeLensRefreshRequest.type);
});

documents.onDidChangeContent(({ document }) => publishDiagnostics(document));
documents.onDidClose(({ document }) => {
  scans.delete(document.uri);
  void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
});
documents.listen(connection);
connection.listen();
