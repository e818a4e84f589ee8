/** What every `ctx connection` command gets: the outside world and its project. */
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
