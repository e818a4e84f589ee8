/**
 * Which version of an own entry the hub has or is about to get, and how the entry goes there now: as it was sent, or, changed since, as a
 * new entry that supersedes the newest version.
 */
import { isDerivedId, revisionId } from '../context/derived-id';
import { checkPublishedEntry, type EntryType, type PublishedEntry } from '../entry';
import { HubError } from '../errors';
import { Outbox } from './outbox';
import type { ProjectPaths } from './project-directory';
import { contentHash, sha256 } from './sha256';
import { readLedger } from './share-ledger';

export interface Version {
  readonly id: string;
  readonly type: EntryType;
  /** Of the content. */
  readonly sha256: string;
  readonly supersedes?: string | undefined;
  /** As this machine sent it or will; absent when only another machine did. */
  readonly entry?: PublishedEntry | undefined;
}

export type Versions = ReadonlyMap<string, Version>;

/** On the hub, and waiting to be. */
export async function readVersions(paths: ProjectPaths, outbox: Outbox): Promise<Versions> {
  const versions = new Map<string, Version>(await readLedger(paths));
  for (const entry of await outbox.waiting()) {
    const { id, type, supersedes } = entry;
    versions.set(id, { id, type, supersedes, sha256: contentHash(entry.content), entry });
  }
  return versions;
}

/** The end of the chain that begins with the id in the local file. */
function newestOf(id: string, versions: Versions): Version | undefined {
  const next = new Map<string, Version>();
  // Later ones win: of two changes of one version, the one that came last.
  for (const version of versions.values()) if (version.supersedes !== undefined) next.set(version.supersedes, version);
  let newest = versions.get(id);
  const seen = new Set<string>();
  for (let after = newest; after !== undefined && !seen.has(after.id); after = next.get(after.id)) {
    seen.add(after.id);
    newest = after;
  }
  return newest;
}

/** Two people's different texts of one entry, neither of which this machine has sent: which one holds, a program cannot tell. */
function notOurs(entry: PublishedEntry): HubError {
  const what = `Another machine of this project has shared entry ${entry.id} with other text, so it was not sent.`;
  const next = `Compare both ("ctx connection publish --id ${entry.id} --replace" makes yours the newest version).`;
  return new HubError('id_conflict', `${what} ${next}`);
}

/** A derived id says only that two headings are alike, and a version that a colleague made may be newer than our file. */
function isUnsure(newest: Version, entry: PublishedEntry): boolean {
  return newest.entry === undefined && (isDerivedId(newest.id) || newest.id !== entry.id);
}

export interface VersionOptions {
  readonly now: Date;
  /** Supersede another machine's text also where it may be no older one. */
  readonly replace?: boolean | undefined;
}

/**
 * @param entry as it stands in the local file, under the id it has there
 * @throws HubError `id_conflict`, see {@link notOurs}
 */
export function asVersion(entry: PublishedEntry, versions: Versions, { now, replace }: VersionOptions): PublishedEntry {
  const newest = newestOf(entry.id, versions);
  if (newest === undefined) return entry;
  const { id, supersedes } = newest;
  if (newest.sha256 === contentHash(entry.content) && newest.type === entry.type) {
    // Exactly as it was sent, so that the hub knows it again.
    return newest.entry ?? { ...entry, id, ...(supersedes === undefined ? {} : { supersedes }) };
  }
  if (replace !== true && isUnsure(newest, entry)) throw notOurs(entry);
  const { type, content } = entry;
  const revision = revisionId({ supersedes: id, type, content }, sha256);
  return { ...entry, id: revision, supersedes: id, timestamp: now.toISOString() };
}

/**
 * The entry as it goes to the hub now, by what this machine knows at this moment: the one rule for the command line and the editor.
 * @param entry see {@link asVersion}
 * @throws HubError when no hub would take it, or see {@link notOurs}
 */
export async function currentVersion(
  paths: ProjectPaths,
  entry: PublishedEntry,
  options: VersionOptions,
): Promise<PublishedEntry> {
  checkPublishedEntry(entry);
  return asVersion(entry, await readVersions(paths, new Outbox(paths)), options);
}
