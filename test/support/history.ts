/**
 * One history of what clients asked and were told, and one checker of what must then be true (invariants I3–I6, I9, I11, I14),
 * for simulations, single hubs and clusters alike. O(n log n).
 */

export type Told =
  | { readonly kind: 'ok'; readonly sequence: number }
  | { readonly kind: 'refused'; readonly code: string }
  /** No answer, or one that says so: it may or may not have happened. */
  | { readonly kind: 'unknown' };

/** One publish of one entry. Times are of one clock, any unit; equal times count as concurrent. */
export interface Operation {
  readonly client: string;
  readonly id: string;
  readonly invoked: number;
  /** Absent = never answered. */
  readonly completed?: number;
  readonly told: Told;
  /** Where it was sent. */
  readonly node?: string;
}

export interface LoggedLine {
  readonly sequence: number;
  readonly id: string;
  /** The whole line, or its digest: whatever must be the same on all nodes. */
  readonly text: string;
}

export interface NodeLog {
  readonly node: string;
  readonly lines: readonly LoggedLine[];
}

/** What one listener saw, from the sequence it started after. */
export interface Listening {
  readonly client: string;
  readonly after: number;
  readonly seen: readonly { readonly sequence: number; readonly id: string }[];
  /** Ids that its filter lets through; absent = all. */
  readonly wants?: (id: string) => boolean;
}

export interface History {
  readonly operations: readonly Operation[];
  readonly logs: readonly NodeLog[];
  readonly listeners?: readonly Listening[];
  /** Ids that were in the log before the history began. */
  readonly before?: ReadonlySet<string>;
  /** What nodes noted as discarded and never committed. */
  readonly rejected?: readonly { readonly node: string; readonly ids: readonly string[] }[];
}

const MAX_TOLD = 20;

class Violations {
  readonly found: string[] = [];
  add(text: string): void {
    if (this.found.length < MAX_TOLD) this.found.push(text);
  }
}

/** Sequences rise by one; each id is there once and somebody asked for it. */
function checkLog(log: NodeLog, asked: ReadonlySet<string>, violations: Violations): void {
  const ids = new Set<string>();
  log.lines.forEach((line, i) => {
    const previous = i === 0 ? line.sequence - 1 : (log.lines[i - 1]?.sequence ?? 0);
    if (line.sequence !== previous + 1) violations.add(`I4 ${log.node}: ${line.sequence} follows ${previous}`);
    if (ids.has(line.id)) violations.add(`I4 ${log.node}: ${line.id} is there twice`);
    if (!asked.has(line.id)) violations.add(`I4 ${log.node}: ${line.id} at ${line.sequence} was never published`);
    ids.add(line.id);
  });
}

function checkAcknowledged(history: History, log: NodeLog, violations: Violations): void {
  const at = new Map(log.lines.map((line) => [line.sequence, line.id]));
  for (const { id, told } of history.operations) {
    if (told.kind !== 'ok' || at.get(told.sequence) === id) continue;
    violations.add(
      `I3 ${log.node}: ${id} was acknowledged as ${told.sequence}, where ${at.get(told.sequence) ?? 'nothing'} is`,
    );
  }
}

/** An id that was only ever refused is nowhere. */
function checkRefused(history: History, violations: Violations): void {
  const possible = new Set(history.before);
  for (const { id, told } of history.operations) if (told.kind !== 'refused') possible.add(id);
  const refused = new Set(history.operations.map(({ id }) => id).filter((id) => !possible.has(id)));
  for (const { node, lines } of history.logs) {
    for (const { id, sequence } of lines) {
      if (refused.has(id)) violations.add(`I11 ${node}: ${id} was refused and is there as ${sequence}`);
    }
  }
}

interface Span {
  readonly id: string;
  firstInvoked: number;
  firstOk: number;
  sequence: number | undefined;
}

function spansOf(operations: readonly Operation[], violations: Violations): Span[] {
  const spans = new Map<string, Span>();
  for (const { id, invoked, completed, told } of operations) {
    const span = spans.get(id) ?? { id, firstInvoked: Infinity, firstOk: Infinity, sequence: undefined };
    spans.set(id, span);
    span.firstInvoked = Math.min(span.firstInvoked, invoked);
    if (told.kind !== 'ok') continue;
    if (span.sequence !== undefined && span.sequence !== told.sequence) {
      violations.add(`I6 ${id} was acknowledged as ${span.sequence} and as ${told.sequence}`);
    }
    span.sequence = told.sequence;
    span.firstOk = Math.min(span.firstOk, completed ?? Infinity);
  }
  return [...spans.values()];
}

/** One id, one sequence; what was acknowledged before another was sent comes before it. */
function checkOrder(history: History, violations: Violations): void {
  const spans = spansOf(history.operations, violations).filter((span) => span.sequence !== undefined);
  const byInvoked = spans.toSorted((a, b) => a.firstInvoked - b.firstInvoked);
  const byOk = spans.toSorted((a, b) => a.firstOk - b.firstOk);
  let done = 0;
  let highest: Span | undefined;
  for (const span of byInvoked) {
    for (let next = byOk[done]; next !== undefined && next.firstOk < span.firstInvoked; next = byOk[++done]) {
      if ((next.sequence ?? 0) > (highest?.sequence ?? 0)) highest = next;
    }
    if (highest === undefined || (span.sequence ?? 0) > (highest.sequence ?? 0)) continue;
    violations.add(
      `I6 ${highest.id} (${highest.sequence}) was acknowledged before ${span.id} (${span.sequence}) was sent`,
    );
  }
}

/** A listener has seen exactly the log after its start, as far as it has come. */
function checkListener(listening: Listening, log: NodeLog, violations: Violations): void {
  const { client, after, seen, wants = () => true } = listening;
  const expected = log.lines.filter((line) => line.sequence > after && wants(line.id));
  seen.forEach((got, i) => {
    const want = expected[i];
    if (want?.sequence === got.sequence && want.id === got.id) return;
    violations.add(
      `I5 ${client}: saw ${got.id} as ${got.sequence} where ${want?.id ?? 'nothing'} (${want?.sequence ?? '-'}) comes`,
    );
  });
}

/** Each once, and somebody asked for it. A publisher that comes back late may have it committed after the verdict. */
function checkRejected({ rejected = [] }: History, asked: ReadonlySet<string>, violations: Violations): void {
  for (const { node, ids } of rejected) {
    if (new Set(ids).size !== ids.length) violations.add(`I9 ${node}: an entry was noted as rejected twice`);
    for (const id of ids) if (!asked.has(id)) violations.add(`I9 ${node}: ${id} was rejected and never published`);
  }
}

/** Logs of all nodes are prefixes of the longest. */
function checkPrefixes(logs: readonly NodeLog[], longest: NodeLog, violations: Violations): void {
  for (const { node, lines } of logs) {
    const at = lines.findIndex((line, i) => longest.lines[i]?.text !== line.text);
    if (at !== -1) violations.add(`I14 ${node} and ${longest.node} differ at line ${at + 1}`);
  }
}

/** @returns every rule that was broken, in words; empty = all is well */
export function checkHistory(history: History): readonly string[] {
  const violations = new Violations();
  const asked = new Set([...(history.before ?? []), ...history.operations.map(({ id }) => id)]);
  const longest = history.logs.reduce((a, b) => (b.lines.length > a.lines.length ? b : a));
  for (const log of history.logs) checkLog(log, asked, violations);
  for (const log of history.logs) checkAcknowledged(history, log, violations);
  checkRefused(history, violations);
  checkOrder(history, violations);
  for (const listening of history.listeners ?? []) checkListener(listening, longest, violations);
  checkPrefixes(history.logs, longest, violations);
  checkRejected(history, asked, violations);
  return violations.found;
}
