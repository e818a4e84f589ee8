// Bugs that only who sits at a terminal would see.

import { patchesIn } from './patched.mjs';

const patch = patchesIn('');

export const products = true;

export const tests = ['test/cli/terminal.test.ts'];

const PROGRESS = 'core/node/progress.ts';

export const mutants = [
  {
    name: 'the admin token is shown while it is typed',
    patches: [patch('core/node/prompt.ts', 'output: silent', 'output: process.stderr')],
  },
  {
    name: 'Ctrl-C at the prompt counts as an empty token',
    patches: [patch('core/node/prompt.ts', "asked.once('SIGINT'", "asked.once('never'")],
  },
  {
    name: 'progress goes by where the data goes',
    patches: [
      patch(PROGRESS, 'io.stderrIsTty', 'io.stdoutIsTty'),
      patch(PROGRESS, "'stderr' | 'stderrIsTty'", "'stderr' | 'stdoutIsTty'"),
    ],
  },
  {
    name: 'progress stays on the line when the work is done',
    patches: [patch(PROGRESS, 'if (shown) io.stderr', 'if (false) io.stderr')],
  },
  {
    name: 'S31 a message of the hub reaches the terminal as it is',
    patches: [patch('core/wire.ts', 'visibleLine(error.message', '(error.message')],
    tests: ['test/security/S31-terminal.test.ts'],
  },
];
