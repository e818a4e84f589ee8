/** How a command line ends: the one form of its JSON answers, and from an error to an exit code. Pure; used by every program. */
import { HubError } from '../errors';
import type { ProgramIo } from '../program';
import { visibleText } from '../visible-text';

/** Characters that a terminal or a line-based reader may take for something else, as JSON escapes: ASCII only. */
function asciiOnly(json: string): string {
  return json.replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The one form of every `--json` answer: one line. */
export function jsonAnswer(kind: string, members: object): string {
  return `${asciiOnly(JSON.stringify({ schemaVersion: 1, kind, ...members }))}\n`;
}

const EXIT_USAGE = 64;

/** What the argument parser throws: wrong arguments, or that help was asked for. It has said so itself. */
function isParserError(error: unknown): error is { readonly exitCode: number } {
  if (!(error instanceof Error)) return false;
  const { code, exitCode } = error as { code?: unknown; exitCode?: unknown };
  return typeof code === 'string' && code.startsWith('commander.') && typeof exitCode === 'number';
}

/**
 * Says an operating fault to standard error.
 * @returns the exit code; `undefined` for what is no operating fault: a bug, or an interruption
 */
export function explainFailure(error: unknown, io: Pick<ProgramIo, 'stderr'>): number | undefined {
  if (isParserError(error)) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (!(error instanceof HubError)) return undefined;
  io.stderr(`ctx: ${visibleText(error.message)}\n`);
  return error.facts.exit;
}
