/** What every hub command gets: the outside world, and a place for an exit code that is no error. */
import type { ProgramIo } from '../../core/program';

export { jsonAnswer } from '../../core/command-line/end';

export interface HubCommandContext {
  readonly io: ProgramIo;
  readonly version: string;
  /** The arguments after `ctx hub`. */
  readonly argv: readonly string[];
  /** Set by commands whose answer is in their exit code, such as `status --exit-code`. */
  readonly exit: { code: number };
}

export const DATA_DIR_FLAG = ['--data-dir <dir>', 'data directory of the hub (default: ~/.ctx/hub-data)'] as const;
