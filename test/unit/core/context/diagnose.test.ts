import assert from 'node:assert/strict';
import { diagnose } from '../../../../core/context/diagnose';
import { parseContext } from '../../../../core/context/parse';
import type { EntryType } from '../../../../core/entry';
import { fixtures, withSamples } from '../../../support/samples';

/** `code: text at its place`, in order. */
function problems(type: EntryType, text: string): string[] {
  return diagnose(parseContext(type, text), text).map(
    ({ code, span }) => `${code}: ${text.slice(span.start, span.end).split('\n')[0] ?? ''}`,
  );
}

const LEARNING = '## [2026-01-01] Good\n\n**Context**: a fact\n\n**Lesson**: a truth\n\n**Application**: a deed\n';

describe('diagnose', () => {
  it('says nothing about a good file, in any line ends', () => {
    assert.deepEqual(problems('learning', `# L\n\n${LEARNING}`), []);
    assert.deepEqual(problems('learning', `\uFEFF# L\n\n${LEARNING}`.replaceAll('\n', '\r\n')), []);
    assert.deepEqual(problems('task', '# T\n\n- [ ] a\n- [ ] b\n'), []);
  });

  it('names missing and empty fields and placeholders, at their place', () => {
    assert.deepEqual(problems('learning', '## [2026-01-01] T\n\n**Context**: TBD\n\n**Application**:\n'), [
      'missing-field: T',
      'placeholder: **Context**: TBD',
      'placeholder: **Application**:',
    ]);
    const plural = LEARNING.replace('**Lesson**', '**Lessons**');
    assert.deepEqual(problems('learning', plural), []);
  });

  it('names headings that mean to be entries', () => {
    assert.deepEqual(problems('learning', LEARNING.replace('[2026-01-01]', '[2026-02-30]')), [
      'malformed-heading: ## [2026-02-30] Good',
    ]);
    assert.deepEqual(problems('learning', LEARNING.replace('[2026-01-01] ', '')), ['malformed-heading: ## Good']);
    assert.deepEqual(problems('learning', '## [soon] Title\n'), ['malformed-heading: ## [soon] Title']);
    assert.deepEqual(problems('learning', '## Themes\n\n## Group: x\n\ntext\n'), []);
  });

  it('names the second of two that cannot be told apart', () => {
    const id = '<!-- ctx:id=same -->';
    assert.deepEqual(problems('task', `- [ ] a ${id}\n- [ ] b ${id}\n`), [`duplicate-id: b ${id}`]);
    assert.deepEqual(problems('convention', '- a\n- a\n'), ['duplicate-id: a']);
  });

  it('names comments and fences that never end', () => {
    assert.deepEqual(problems('task', '- [ ] a\n\n<!-- open\n- [ ] b\n'), ['unclosed-comment: <!-- open']);
    assert.deepEqual(problems('task', '- [ ] a\n\n```js\n- [ ] b\n'), ['unclosed-fence: ```js']);
  });

  it('finds in the fixtures what was put there', () => {
    const found = fixtures().flatMap(({ name, type, text }) =>
      problems(type, text).map((problem) => `${name} ${problem}`),
    );
    assert.deepEqual(found, [
      'DECISIONS.md placeholder: **Consequence**: TBD',
      'LEARNINGS.md missing-field: `details` ends at a blank line',
      'LEARNINGS.md missing-field: `details` ends at a blank line',
      'LEARNINGS.md missing-field: After the blank line it is one',
      'LEARNINGS.md missing-field: After the blank line it is one',
      'decisions-archive.md missing-field: Two words only',
      'decisions-archive.md missing-field: Two words only',
      'decisions-archive.md missing-field: Two words only',
      'decisions-archive.md malformed-heading: ## [2025-13-40] A month that does not exist',
      'decisions-archive.md missing-field: A month that does not exist',
      'decisions-archive.md missing-field: A month that does not exist',
    ]);
  });

  withSamples('finds no unclosed block and no malformed heading', (files) => {
    for (const { name, type, text } of files) {
      const codes = new Set(diagnose(parseContext(type, text), text).map(({ code }) => code));
      for (const code of ['unclosed-comment', 'unclosed-fence', 'malformed-heading'] as const) {
        assert.ok(!codes.has(code), `${name}: ${code}`);
      }
    }
  });
});
