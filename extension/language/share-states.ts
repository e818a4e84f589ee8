/** What the editor tells the language server about sharing: one message per project whenever something changed. Pure. */

export type ShareState =
  /** `id` is that of the newest version, which may supersede the one that the local file carries. */
  | { readonly kind: 'shared'; readonly id: string; readonly sequence: number; readonly sha256: string }
  | { readonly kind: 'pending'; readonly sha256: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface ProjectShares {
  /** The folder that holds `.context`, as a file path. */
  readonly root: string;
  /** Name on the hub; ids of entries without one of their own hang on it. */
  readonly project: string;
  readonly connected: boolean;
  /** By entry id. */
  readonly states: Readonly<Record<string, ShareState>>;
}

export const SHARES_NOTIFICATION = 'ctxHub/shares';

export type LocalShareState =
  | { readonly kind: 'local' }
  | ShareState
  /** Shared once, and edited since. */
  | { readonly kind: 'changed'; readonly sequence: number };

/** The state of a local entry, whose text may have moved on since it was shared. */
export function localState(state: ShareState | undefined, sha256: string): LocalShareState {
  if (state === undefined) return { kind: 'local' };
  if (state.kind === 'shared' && state.sha256 !== sha256) return { kind: 'changed', sequence: state.sequence };
  return state;
}

export function describeState(state: LocalShareState): string {
  switch (state.kind) {
    case 'local':
      return 'not shared';
    case 'shared':
      return `shared as #${state.sequence}`;
    case 'pending':
      return 'pending: sent when the hub can be reached';
    case 'changed':
      return `changed since shared as #${state.sequence}`;
    case 'refused':
      return `refused: ${state.reason}`;
  }
}
