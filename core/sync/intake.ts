/**
 * What comes from a hub, let in entry by entry: a hub is not trusted to be right. Nothing that passes here can name a
 * file, fake a header or claim a place it does not have.
 */
import {
  isClientName,
  isEntryId,
  isEntryType,
  isProjectName,
  isTimestamp,
  checkContent,
  checkMeta,
  type EntryType,
  type StoredEntry,
} from '../entry';
import { DIGEST_PATTERN } from '../line';
import { MAX_META_VALUE_BYTES } from '../limits';

/** Whether a stored entry keeps every rule of PROTOCOL.md, section "Entry". False for redacted ones and unknown types. */
export function isShown(entry: StoredEntry): boolean {
  // Redacted lines have no content, whatever the type says.
  const content: unknown = entry.content;
  if (typeof content !== 'string' || !isEntryType(entry.type)) return false;
  const named = isEntryId(entry.id) && isProjectName(entry.origin) && isClientName(entry.client);
  const timed = isTimestamp(entry.timestamp) && isTimestamp(entry.received_at);
  if (!named || !timed || !DIGEST_PATTERN.test(entry.digest)) return false;
  if (entry.supersedes !== undefined && !isEntryId(entry.supersedes)) return false;
  try {
    checkContent(content);
    if (entry.meta !== undefined) checkMeta(entry.meta);
    return Object.keys(entry.meta ?? {}).join('').length <= MAX_META_VALUE_BYTES;
  } catch {
    return false; // The reason does not matter: the entry is counted and skipped.
  }
}

export interface Intake {
  /** To show and mirror. */
  readonly others: readonly StoredEntry[];
  /** Of our own project, whoever of it sent them. */
  readonly own: readonly StoredEntry[];
  /** Broke a rule, were redacted, or are of a type this version does not know. */
  readonly skipped: number;
}

export interface IntakeRules {
  /** Entries up to here have been taken before. */
  readonly afterSequence: number;
  /** Own project. */
  readonly origin: string;
  readonly types: readonly EntryType[];
}

/** Sorts a batch; what comes again or out of order is left out. */
export function sortIntake(entries: readonly StoredEntry[], rules: IntakeRules): Intake {
  const others: StoredEntry[] = [];
  const own: StoredEntry[] = [];
  let skipped = 0;
  let last = rules.afterSequence;
  for (const entry of entries) {
    if (entry.sequence <= last) continue;
    last = entry.sequence;
    if (!isShown(entry)) skipped++;
    else if (entry.origin === rules.origin) own.push(entry);
    else if (rules.types.includes(entry.type)) others.push(entry);
  }
  return { others, own, skipped };
}
