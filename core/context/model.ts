/** What a scan of a `.context` file finds. Offsets are UTF-16 code units into the text as read (a BOM counts). */
import type { EntryType } from '../entry';

export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export interface ContextField {
  /** As written, such as `Context`. */
  readonly name: string;
  readonly value: string;
  readonly span: Span;
}

export type TaskState = 'open' | 'done' | 'skipped';

export interface ContextEntry {
  readonly type: EntryType;
  /** One line, without date, id comment, checkbox and `#tags`. */
  readonly title: string;
  /** The date in a heading (`YYYY-MM-DD` or `YYYY-MM-DD-HHMMSS`) or in a task's `#added:`. */
  readonly date: string | undefined;
  /** Value of the `ctx:id` comment; entries without one get an id derived from their project, type and heading. */
  readonly id: string | undefined;
  /** From the start of its heading or bullet to the end of its last line, its line end excluded. */
  readonly span: Span;
  readonly titleSpan: Span;
  /** `**Name**: …` paragraphs, in order. Empty for conventions and tasks. */
  readonly fields: readonly ContextField[];
  /** Section heading a convention or task stands under. */
  readonly section: string | undefined;
  readonly state: TaskState | undefined;
  /** `#name` or `#name:value` words of a task, without `#`. */
  readonly tags: readonly string[];
  /** Normal form for sharing (PROTOCOL.md, section "Content"). */
  readonly content: string;
}

export interface ContextSection {
  readonly title: string;
  readonly level: number;
  /** From its heading to the end of its content. */
  readonly span: Span;
  readonly titleSpan: Span;
}

export interface ContextDocument {
  readonly type: EntryType;
  readonly entries: readonly ContextEntry[];
  readonly sections: readonly ContextSection[];
}

export type ProblemCode =
  'missing-field' | 'placeholder' | 'malformed-heading' | 'duplicate-id' | 'unclosed-comment' | 'unclosed-fence';

export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  readonly span: Span;
}

/** What a person or agent enters; rendered into the file's form by `render`. */
export interface Draft {
  readonly type: EntryType;
  readonly id: string;
  readonly title: string;
  /** Local time of writing, `YYYY-MM-DD-HHMMSS`. */
  readonly date: string;
  /** By lower-case field name: context, decision, rationale, consequence, lesson, application. */
  readonly fields: Readonly<Record<string, string>>;
  /** Markdown without a field's name: what follows a convention or task, or stands before a decision's fields. */
  readonly body?: string | undefined;
  readonly section?: string | undefined;
  readonly priority?: string | undefined;
}

/** One change of a text: replace `span` by `text`. */
export interface Splice {
  readonly span: Span;
  readonly text: string;
}
