/**
 * Every name that the manifest (package.json) and the code have in common: commands, views, settings, context keys. A test
 * holds the two together. Knows no editor.
 */

export const COMMAND_IDS = [
  'shareDecision',
  'shareLearning',
  'shareConvention',
  'shareTask',
  'shareSelection',
  'shareEntry',
  'initialize',
  'startLocalHub',
  'stopLocalHub',
  'connect',
  'connectLocal',
  'chooseSubscriptions',
  'publishPending',
  'refreshFeed',
  'markAllRead',
  'showNewEntries',
  'showHubStatus',
  'openLog',
  'copyDiagnostics',
  'showMenu',
  'feed.openEntry',
  'feed.copyIntoProject',
  'feed.copyEntry',
  'feed.markRead',
  'feed.loadMore',
] as const;

export type CommandId = (typeof COMMAND_IDS)[number];

export const commandName = (id: CommandId): string => `ctxHub.${id}`;

export const FEED_VIEW = 'ctxHub.feed';

/** What the empty feed says, and which step it offers next. */
export const FEED_STATES = [
  'noFolder',
  'untrusted',
  'noContext',
  'notConnected',
  'foreign',
  'connecting',
  'localUnreachable',
  'unreachable',
  'refused',
  'nothingSubscribed',
  'empty',
] as const;

export type FeedState = (typeof FEED_STATES)[number];

export const CONTEXT_KEYS = {
  feedState: 'ctxHub.feedState',
  /** Entries arrived and wait, because the list must not move under the cursor. */
  feedHeld: 'ctxHub.feedHeld',
  hasContext: 'ctxHub.hasContext',
  /** The local hub does not run, and nothing but its user starts it. */
  localHubLeft: 'ctxHub.localHubLeft',
} as const;

/** Settings by full name, with the default that the manifest declares. */
export const SETTING_DEFAULTS = {
  'ctxHub.localHub.port': 9900,
  'ctxHub.localHub.dataDirectory': '',
  'ctxHub.localHub.startOnDemand': true,
  'ctxHub.connection.defaultAddress': '',
  'ctxHub.connection.warnWhenUnreachable': true,
  'ctxHub.feed.pageSize': 50,
} as const;

export type SettingName = keyof typeof SETTING_DEFAULTS;

/** Settings that decide where data goes or what runs: machine-scoped, and ignored from an untrusted workspace. */
export const RESTRICTED_SETTINGS: readonly SettingName[] = [
  'ctxHub.localHub.port',
  'ctxHub.localHub.dataDirectory',
  'ctxHub.localHub.startOnDemand',
  'ctxHub.connection.defaultAddress',
  'ctxHub.connection.warnWhenUnreachable',
];

/** Scheme of the read-only documents that show an entry of the feed. */
export const ENTRY_SCHEME = 'ctx-hub-entry';
