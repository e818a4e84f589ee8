/** Projects to open in a window under test. */
import fs from 'node:fs';
import path from 'node:path';

const FILES: Readonly<Record<string, string>> = {
  'DECISIONS.md': [
    '# Decisions',
    '',
    '## [2026-01-02-090000] Use UTC everywhere',
    '',
    '**Status**: Accepted',
    '',
    '**Context**: Two services disagreed by an hour',
    '',
    '**Decision**: Use UTC everywhere',
    '',
    '**Rationale**: UTC has no clock changes',
    '',
    '**Consequence**: Local time is for display only',
    '',
    '---',
    '',
    '## [2026-01-01-090000] A decision without its reasons',
    '',
    '**Context**: Something happened',
    '',
  ].join('\n'),
  'LEARNINGS.md': '# Learnings\n',
  'CONVENTIONS.md': '# Conventions\n\n## Naming\n\n- Files are kebab-case\n',
  'TASKS.md': '# Tasks\n\n### Next\n\n- [ ] Write the manual #priority:high #added:2026-01-01-090000\n',
};

/** A project folder with a `.context`. */
export function makeProject(root: string): string {
  fs.mkdirSync(path.join(root, '.context'), { recursive: true });
  for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(root, '.context', name), text);
  return root;
}

/** What a repository may try: settings that say where data goes or what runs. */
export const HOSTILE_SETTINGS = {
  'ctxHub.connection.defaultAddress': 'evil.example:1',
  'ctxHub.localHub.port': 1,
  'ctxHub.localHub.dataDirectory': '/tmp/evil',
};

/** A window with two projects: `alpha` and `beta`, each to have a connection of its own. */
export function makeWorkspace(dir: string): string {
  const folders = ['alpha', 'beta'].map((name) => ({ path: path.basename(makeProject(path.join(dir, name))) }));
  const file = path.join(dir, 'two.code-workspace');
  fs.writeFileSync(file, JSON.stringify({ folders, settings: HOSTILE_SETTINGS }, null, 2));
  return file;
}
