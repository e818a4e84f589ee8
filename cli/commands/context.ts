/** What every command of this bundle gets: the outside world, and a place for its exit code. */
import { userHome } from '../../core/node/ctx-home';
import { requireProject, type ProjectPaths } from '../../core/node/project-directory';
import type { ProgramIo } from '../../core/program';

export interface CommandContext {
  readonly io: ProgramIo;
  /** Set by commands that are done but have more to say than 0. */
  readonly exit: { code: number };
}

/** @throws HubError `config` when there is no project here */
export function projectOf({ io }: CommandContext): ProjectPaths {
  return requireProject(io.cwd, userHome(io.env));
}
