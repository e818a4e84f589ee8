/** What the runner hands to the tests that drive the workbench: they run in a mocha process of their own. */
import * as z from 'zod';

const setup = z.object({
  install: z.object({ main: z.string(), node: z.string() }),
  chrome: z.string(),
  vsix: z.string(),
  /** Where screenshots go. */
  shots: z.string(),
});

export type UiSetup = z.infer<typeof setup>;

const VARIABLE = 'CTX_TEST_UI';

export const setupEnv = (value: UiSetup): Readonly<Record<string, string>> => ({ [VARIABLE]: JSON.stringify(value) });

export function uiSetup(): UiSetup {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error('These tests are started by test/extension/run.mjs --only ui.');
  return setup.parse(JSON.parse(text));
}
