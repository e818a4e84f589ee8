/** The other bundles, loaded from beside this one by the command that needs them: nobody pays for what is not used. */
import { createRequire } from 'node:module';
import type { Program } from '../core/program';

/** `hub` = every `ctx hub …` command; `client` = every command that talks to a hub. */
export type BundleName = 'hub' | 'client';

export function bundledProgram(name: BundleName): Program {
  const loaded = createRequire(__filename)(`./${name}.js`) as { readonly program: Program };
  return loaded.program;
}
