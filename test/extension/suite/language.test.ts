/** The language server in the editor: symbols, folds, problems, and lenses that follow what is shared. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { until } from '../../support/processes';
import { connectBoth, project, run, show } from './host';

const uriOf = (name: 'alpha' | 'beta', type: 'decision' | 'task' | 'convention'): vscode.Uri =>
  vscode.Uri.file(project(name).files[type]);

async function symbols(uri: vscode.Uri): Promise<readonly vscode.DocumentSymbol[]> {
  return until('symbols come from our server', async () => {
    const found = await vscode.commands.executeCommand<vscode.DocumentSymbol[] | undefined>(
      'vscode.executeDocumentSymbolProvider',
      uri,
    );
    // The built-in Markdown extension has symbols of its own, named by their hashes.
    const ours = found?.filter(({ name }) => !name.startsWith('#'));
    return ours !== undefined && ours.length > 0 && ours;
  });
}

async function lensTitles(uri: vscode.Uri): Promise<readonly string[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri, 50);
  return lenses.map((lens) => lens.command?.title ?? '');
}

describe('language server', () => {
  it('names what is missing in an entry, at its place', async () => {
    const uri = uriOf('beta', 'decision');
    const { document } = await show(uri.fsPath);
    const found = await until('problems are reported', () => {
      const problems = vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'ctx Hub');
      return problems.length > 0 && problems;
    });
    const messages = found.map(({ message }) => message).sort();
    assert.deepEqual(messages, ['This decision has no **Consequence**.', 'This decision has no **Rationale**.']);
    assert.equal(document.getText(found[0]?.range), 'A decision without its reasons');
  });

  it('lists entries as symbols, and folds them', async () => {
    const uri = uriOf('beta', 'decision');
    const { document } = await show(uri.fsPath);
    const names = (await symbols(uri)).map(({ name }) => name);
    assert.ok(names.includes('Use UTC everywhere') && names.includes('A decision without its reasons'), names.join());
    const tasks = await symbols(uriOf('beta', 'task'));
    assert.ok(tasks.some(({ name, children }) => name === 'Next' && children[0]?.name === 'Write the manual'));
    const folds = await vscode.commands.executeCommand<vscode.FoldingRange[]>(
      'vscode.executeFoldingRangeProvider',
      uri,
    );
    const start = document.positionAt(document.getText().indexOf('## [2026-01-02')).line;
    assert.ok(folds.some((fold) => fold.start === start && fold.end > start));
  });

  it('offers to share each entry, and says when it is shared', async () => {
    await connectBoth();
    const uri = uriOf('beta', 'convention');
    const { document } = await show(uri.fsPath);
    await until('the lens is there', async () => (await lensTitles(uri)).includes('Share'));
    const offset = document.getText().indexOf('Files are kebab-case');
    await run('shareEntry', { uri: uri.toString(), offset });
    await until('it follows', async () => (await lensTitles(uri)).some((title) => /^Shared as #\d+$/.test(title)));
  });
});
