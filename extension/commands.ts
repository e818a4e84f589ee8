/** Registers the one table of commands. A command that fails says why; a bug is also written to the log. */
import * as vscode from 'vscode';
import { commandName, type CommandId } from './names';
import { complain, describeError, isExpected } from './notify';

export type Handler = (...args: unknown[]) => unknown;
export type CommandTable = Readonly<Record<CommandId, Handler>>;

async function runSafely(
  id: CommandId,
  handler: Handler,
  args: unknown[],
  log: vscode.LogOutputChannel,
): Promise<unknown> {
  try {
    return await handler(...args);
  } catch (error) {
    log.error(`${id}: ${describeError(error)}`);
    if (!isExpected(error) && error instanceof Error) log.error(error.stack ?? '');
    void complain(describeError(error), { title: vscode.l10n.t('Show Log'), run: () => log.show() });
    return undefined;
  }
}

export function registerCommands(table: CommandTable, log: vscode.LogOutputChannel): vscode.Disposable {
  const registered = (Object.entries(table) as [CommandId, Handler][]).map(([id, handler]) =>
    vscode.commands.registerCommand(commandName(id), (...args: unknown[]) => runSafely(id, handler, args, log)),
  );
  return vscode.Disposable.from(...registered);
}
