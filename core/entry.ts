/**
 * The entry: what a project shares (PROTOCOL.md, section "Entry"). Types, validation and the normal form of content.
 * Pure; the same rules hold on the client before sending and on the hub before storing.
 */
import { HubError } from './errors';
import {
  MAX_CLIENT_LENGTH,
  MAX_CONTENT_BYTES,
  MAX_ID_LENGTH,
  MAX_META_VALUE_BYTES,
  MAX_PROJECT_LENGTH,
} from './limits';

export const ENTRY_TYPES = ['decision', 'learning', 'convention', 'task'] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

export const META_KEYS = ['display_name', 'host', 'tool', 'via'] as const;
export type MetaKey = (typeof META_KEYS)[number];
/** Client-reported facts; never used for any decision. */
export type EntryMeta = Readonly<Partial<Record<MetaKey, string>>>;

/** What a client sends. */
export interface PublishedEntry {
  readonly id: string;
  readonly type: EntryType;
  /** Normal form: see {@link normalizeContent}. */
  readonly content: string;
  /** RFC 3339, kept as sent. */
  readonly timestamp: string;
  /** Optional claim; refused with `origin_mismatch` unless it is the token's project. */
  readonly origin?: string;
  readonly meta?: EntryMeta;
  /** Id of the entry that this one replaces. */
  readonly supersedes?: string;
}

/** A published entry with the hub's stamps, before it has a place in the log. */
export interface StampedEntry extends PublishedEntry {
  readonly origin: string;
  readonly client: string;
}

/** An entry in the log. Key order is the order on disk. */
export interface StoredEntry {
  readonly id: string;
  readonly type: EntryType;
  readonly content: string;
  readonly origin: string;
  readonly client: string;
  readonly timestamp: string;
  readonly received_at: string;
  readonly sequence: number;
  readonly meta?: EntryMeta;
  readonly supersedes?: string;
  readonly digest: string;
}

const ID = /^[A-Za-z0-9._:-]+$/;
const PROJECT = /^[a-z0-9][a-z0-9._-]*$/;
const CLIENT = /^[a-z0-9][a-z0-9._@-]*$/;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

export function isEntryType(value: string): value is EntryType {
  return (ENTRY_TYPES as readonly string[]).includes(value);
}

export function isEntryId(value: string): boolean {
  return value.length <= MAX_ID_LENGTH && ID.test(value);
}

export function isProjectName(value: string): boolean {
  return (
    value.length <= MAX_PROJECT_LENGTH && PROJECT.test(value) && !value.includes('..') && !WINDOWS_DEVICE.test(value)
  );
}

export function isClientName(value: string): boolean {
  return value.length <= MAX_CLIENT_LENGTH && CLIENT.test(value) && !value.includes('..');
}

/** RFC 3339 date-time with a real calendar date. */
export function isTimestamp(value: string): boolean {
  return value.length <= 40 && TIMESTAMP.test(value) && !Number.isNaN(Date.parse(value));
}

const utf8 = new TextEncoder();

export function utf8Length(text: string): number {
  return utf8.encode(text).length;
}

/**
 * Content in normal form: LF line ends, no byte order mark, no white space at the end of the text, no blank lines at
 * its start. Idempotent.
 */
export function normalizeContent(text: string): string {
  return (text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text)
    .replace(/^(?:[\uFEFF \t]*\n|\uFEFF)+/, '')
    .trimEnd();
}

/** The first line of the content. */
export function titleOf(content: string): string {
  const end = content.indexOf('\n');
  return end === -1 ? content : content.slice(0, end);
}

function fail(code: 'invalid' | 'too_large', message: string): never {
  throw new HubError(code, message);
}

/** @throws HubError `too_large` above 1 MiB of UTF-8, `invalid` when empty, not in normal form, not Unicode, or with NUL. */
export function checkContent(content: string): void {
  // A UTF-16 unit has at most three bytes in UTF-8, so that most contents need not be encoded to be measured.
  const mayBeTooLarge = content.length * 3 > MAX_CONTENT_BYTES;
  if (mayBeTooLarge && utf8Length(content) > MAX_CONTENT_BYTES) {
    fail('too_large', `The content is larger than ${MAX_CONTENT_BYTES} bytes. Shorten it or share a link instead.`);
  }
  if (content === '') fail('invalid', 'The content is empty. Write at least a title line.');
  if (!content.isWellFormed()) fail('invalid', 'The content is not valid Unicode (a lone surrogate).');
  if (content.includes('\0')) fail('invalid', 'The content holds a NUL character.');
  if (content !== normalizeContent(content)) {
    fail('invalid', 'The content is not in normal form: LF line ends, no blank lines at its start or end.');
  }
}

/** @throws HubError `invalid` for a value above 256 bytes, of several lines, or not Unicode. */
export function checkMeta(meta: EntryMeta): void {
  for (const [key, value] of Object.entries(meta)) {
    if (utf8Length(value) > MAX_META_VALUE_BYTES || /[\n\r\0]/.test(value) || !value.isWellFormed()) {
      fail('invalid', `meta.${key} must be one line of at most ${MAX_META_VALUE_BYTES} bytes of Unicode.`);
    }
  }
}

/** Checks everything that types cannot say. @throws HubError `invalid` or `too_large`; the message names the field. */
export function checkPublishedEntry(entry: PublishedEntry): void {
  if (!isEntryId(entry.id)) {
    fail('invalid', `The id must be 1 to ${MAX_ID_LENGTH} characters of A-Z a-z 0-9 . _ : -`);
  }
  if (!isTimestamp(entry.timestamp)) {
    fail('invalid', `Entry ${entry.id}: the timestamp must be RFC 3339, such as 2026-01-31T09:30:00Z.`);
  }
  if (entry.supersedes !== undefined && !isEntryId(entry.supersedes)) {
    fail('invalid', `Entry ${entry.id}: supersedes must be an entry id.`);
  }
  if (entry.supersedes === entry.id) fail('invalid', `Entry ${entry.id}: an entry cannot supersede itself.`);
  if (entry.meta !== undefined) checkMeta(entry.meta);
  checkContent(entry.content);
}
