/** What every `ctx connection` command gets: the outside world, its project, and how answers are written. */
import { userHome } from '../../../core/node/ctx-home';
import { requireProject, type ProjectPaths } from '../../../core/node/project-directory';
import type { ProgramIo } from '../../../core/program';

export interface ConnectionContext {
  readonly io: ProgramIo;
  readonly version: string;
  /** Set by commands whose answer is in their exit code. */
  readonly exit: { code: number };
}

export function projectOf({ io }: ConnectionContext): ProjectPaths {
  return requireProject(io.cwd, userHome(io.env));
}

/** Characters that a terminal or a line-based reader may take for something else, as JSON escapes: ASCII only (S31). */
function asciiOnly(json: string): string {
  return json.replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The one form of every `--json` answer: one line. */
export function jsonAnswer(kind: string, members: object): string {
  return `${asciiOnly(JSON.stringify({ schemaVersion: 1, kind, ...members }))}\n`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
