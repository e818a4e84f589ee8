/** What a new `.context` file begins with. The format is explained in a comment, where nothing counts as an entry. */
import type { EntryType } from '../entry';

const TEMPLATES: Readonly<Record<EntryType, string>> = {
  decision: `# Decisions

<!--
What was decided and why, newest first. Write with "ctx add decision" or by hand in this form, with --- between entries:

## [YYYY-MM-DD-HHMMSS] Title

**Status**: Accepted

**Context**: what made a decision necessary

**Decision**: what was decided

**Rationale**: why this and not something else

**Consequence**: what follows from it, good and bad
-->
`,
  learning: `# Learnings

<!--
What turned out to be different from what one would think, newest first. Write with "ctx add learning" or by hand:

## [YYYY-MM-DD-HHMMSS] Title

**Context**: what happened

**Lesson**: what is true

**Application**: what to do differently from now on
-->
`,
  convention: `# Conventions

<!--
What everybody here does the same way: one list item each, below a "## Section". Write with "ctx add convention".
-->
`,
  task: `# Tasks

<!--
What is to be done: one list item each, below a "### Section". Write with "ctx add task".
[ ] open, [x] done, [-] skipped; #priority:high and other tags stay in this file when a task is shared.
-->
`,
};

export const templateOf = (type: EntryType): string => TEMPLATES[type];
