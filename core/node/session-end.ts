/** Why a session ended, from everything that is known when its socket closes. */
import { visibleLine } from '../visible-text';
import { CODE_FACTS, HubError, isWireCode, type WireCode } from '../errors';

export interface SessionEnd {
  readonly error: HubError;
  /** We closed it on purpose. */
  readonly byUs: boolean;
  /** Where the hub said to go instead. */
  readonly addresses: readonly string[];
}

export interface EndFacts {
  readonly url: string;
  /** WebSocket close code; 1006 = cut without a word. */
  readonly code: number;
  readonly reason: string;
  readonly fault: HubError | undefined;
  readonly goingAway: { readonly message: string; readonly addresses: readonly string[] } | undefined;
  readonly byUs: boolean;
}

/** Private close codes name our error; the first in the table wins where codes share one. */
function codeOfClose(close: number): WireCode | undefined {
  if (close < 4000) return close === 1001 ? 'going_away' : undefined;
  return Object.entries(CODE_FACTS)
    .filter(([, facts]) => facts.close === close)
    .map(([code]) => code)
    .find(isWireCode);
}

function errorOf(facts: EndFacts): HubError {
  if (facts.fault !== undefined) return facts.fault;
  if (facts.byUs) return new HubError('going_away', 'The session was closed by this side.');
  if (facts.goingAway !== undefined) return new HubError('going_away', visibleLine(facts.goingAway.message));
  const code = codeOfClose(facts.code);
  const said = facts.reason === '' ? '' : `: ${visibleLine(facts.reason)}`;
  if (code === 'unauthenticated') {
    const next = 'Register again: ctx connection register <address>.';
    return new HubError(code, `The hub at ${facts.url} no longer accepts this token${said}. ${next}`);
  }
  if (code !== undefined) return new HubError(code, `The hub at ${facts.url} ended the session${said}.`);
  return new HubError('unreachable', `The connection to the hub at ${facts.url} broke (${facts.code}${said}).`);
}

export function endOfSession(facts: EndFacts): SessionEnd {
  return { error: errorOf(facts), byUs: facts.byUs, addresses: facts.goingAway?.addresses ?? [] };
}
