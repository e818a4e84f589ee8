/**
 * Which entries have a newer version. A changed entry is a new one that names the old one in `supersedes`; the log keeps
 * both, readers show the newest. Only a project's own entries are superseded by it: nobody hides what others wrote. Pure.
 */

export interface Versioned {
  readonly id: string;
  readonly origin: string;
  readonly sequence: number;
  readonly supersedes?: string | undefined;
}

/** From the id of each superseded entry to that of its newest version. */
export function supersededIds(entries: Iterable<Versioned>): ReadonlyMap<string, string> {
  const byId = new Map<string, Versioned>();
  for (const entry of entries) byId.set(entry.id, entry);
  const next = new Map<string, Versioned>();
  for (const entry of byId.values()) {
    const old = entry.supersedes === undefined ? undefined : byId.get(entry.supersedes);
    if (old?.origin !== entry.origin || old.sequence >= entry.sequence) continue;
    const other = next.get(old.id);
    // Two machines changed the same entry: the later one in the log is the newest.
    if (other === undefined || other.sequence < entry.sequence) next.set(old.id, entry);
  }
  const newest = new Map<string, string>();
  for (const id of next.keys()) {
    // Sequences rise along the chain, so it ends.
    let last = next.get(id);
    for (let after = last; after !== undefined; after = next.get(after.id)) last = after;
    if (last !== undefined) newest.set(id, last.id);
  }
  return newest;
}
