/** The other bundles, loaded from beside this one by the command that needs them: nobody pays for what is not used. */
import { createRequire } from 'node:module';
import type { CommandTree } from '../core/command-line/tree';
import type { PublishedEntry } from '../core/entry';
import type { ShareOutcome } from '../core/node/share';
import type { Program, ProgramIo } from '../core/program';

/** `hub` = every `ctx hub …` command; `client` = every command that talks to a hub. */
export type BundleName = 'hub' | 'client';

function load(name: BundleName | 'language-server'): unknown {
  return createRequire(__filename)(`./${name}.js`);
}

export function bundledProgram(name: BundleName): Program {
  return (load(name) as { readonly program: Program }).program;
}

/** The commands of another bundle. */
export function bundledTree(name: BundleName): CommandTree {
  return (load(name) as { readonly commandTree: () => CommandTree }).commandTree();
}

/** Talks on this process's standard streams from now on, and ends the process when its editor says so or goes away. */
export function runLanguageServer(): Promise<never> {
  load('language-server');
  return new Promise(() => undefined);
}

/** What the client bundle gives to commands of this one. */
export interface ClientBundle {
  readonly shareAdded: (
    request: { readonly projectDir: string; readonly entry: PublishedEntry },
    io: ProgramIo,
  ) => Promise<ShareOutcome>;
  /** Prints to standard output and error. @returns the exit code */
  readonly reportShares: (outcomes: readonly ShareOutcome[], io: ProgramIo) => number;
  readonly shareExitCode: (outcomes: readonly ShareOutcome[]) => number;
  readonly shareJson: (outcome: ShareOutcome) => object;
  /** @returns the exit code */
  readonly doctor: (flags: { readonly json?: boolean }, io: ProgramIo) => Promise<number>;
  /** The name under which the project is registered; `undefined` when it is not, or the connection cannot be read. */
  readonly registeredProject: (projectDir: string, io: ProgramIo) => Promise<string | undefined>;
}

export function clientBundle(): ClientBundle {
  return load('client') as ClientBundle;
}
