/** The extension in a real host: it is there, it wakes up, and everything the manifest promises is registered. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import * as z from 'zod';

const contributes = z.looseObject({
  contributes: z.looseObject({ commands: z.array(z.looseObject({ command: z.string() })) }),
});

describe('activation', () => {
  it('happens by itself in a workspace with a .context folder', async () => {
    const extension = vscode.extensions.getExtension('ctx-hub.ctx-hub');
    assert.ok(extension, 'the extension is installed');
    const deadline = Date.now() + 20_000;
    while (!extension.isActive && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(extension.isActive);
  });

  it('registers every command of the manifest, and no other', async () => {
    const extension = vscode.extensions.getExtension('ctx-hub.ctx-hub');
    const declared = contributes.parse(extension?.packageJSON).contributes.commands.map((each) => each.command);
    const registered = (await vscode.commands.getCommands(true)).filter((name) => name.startsWith('ctxHub.'));
    // Views bring commands of their own (focus, open, …).
    const ours = registered.filter(
      (name) => !/^ctxHub(\.feed)?\.(focus|open|removeView|resetViewLocation|toggleVisibility)$/.test(name),
    );
    assert.deepEqual(ours.sort(), [...declared].sort());
  });
});
