/** What is asked for each type of entry, in order. Pure. */
import type { EntryType } from '../../core/entry';

export interface FieldStep {
  /** `title`, `section`, `priority`, or the lower-case name of a field in the file. */
  readonly name: string;
  readonly prompt: string;
  readonly example: string;
  readonly required: boolean;
  /** Offered to pick from; the text stays free when there are none. */
  readonly choices?: readonly string[];
}

const text = (name: string, prompt: string, example: string): FieldStep => ({ name, prompt, example, required: true });

export const FIELD_STEPS: Readonly<Record<EntryType, readonly FieldStep[]>> = {
  decision: [
    text('title', 'What was decided?', 'Store timestamps in UTC'),
    text('context', 'What made it necessary?', 'Two services disagreed by an hour after a clock change'),
    text('rationale', 'Why this and not something else?', 'UTC has no clock changes'),
    text('consequence', 'What follows from it?', 'Local time is for display only'),
  ],
  learning: [
    text('title', 'What was learned?', 'The build cache ignores environment variables'),
    text('context', 'Where did it come up?', 'A release was built with the staging address'),
    text('lesson', 'What is the lesson?', 'Name every variable that changes the output in the cache key'),
    text('application', 'What to do with it from now on?', 'New build steps declare their variables'),
  ],
  convention: [
    text('title', 'What is the convention?', 'Error messages say what to do next'),
    { name: 'section', prompt: 'Under which section?', example: 'Errors', required: false },
  ],
  task: [
    text('title', 'What is to be done?', 'Write the upgrade guide'),
    {
      name: 'priority',
      prompt: 'How urgent is it?',
      example: '',
      required: false,
      choices: ['high', 'medium', 'low'],
    },
  ],
};

export const TYPE_LABELS: Readonly<Record<EntryType, string>> = {
  decision: 'Decision',
  learning: 'Learning',
  convention: 'Convention',
  task: 'Task',
};

/** The field that takes a selection of several lines; the title takes it where there is none. */
export function fieldForSelection(type: EntryType): string {
  return type === 'decision' || type === 'learning' ? 'context' : 'title';
}

/** Values given up front, as a keybinding or another extension may pass them; anything else is ignored. */
export function givenValues(type: EntryType, argument: unknown): Readonly<Record<string, string>> {
  if (typeof argument !== 'object' || argument === null) return {};
  const names = FIELD_STEPS[type].map((step) => step.name);
  const pairs = Object.entries(argument as Record<string, unknown>).filter(
    (pair): pair is [string, string] => names.includes(pair[0]) && typeof pair[1] === 'string',
  );
  return Object.fromEntries(pairs);
}
