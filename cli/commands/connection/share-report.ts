/** What a share came to, for people and as an exit code: 75 = saved here, not shared yet (FM-17). */
import type { ShareOutcome } from '../../../core/node/share';
import type { ProgramIo } from '../../../core/program';
import { CODE_FACTS } from '../../../core/errors';

export function shareJson(outcome: ShareOutcome): object {
  switch (outcome.kind) {
    case 'shared':
      return { id: outcome.id, state: 'shared', sequence: outcome.sequence, duplicate: outcome.duplicate };
    case 'pending':
      return { id: outcome.id, state: 'pending', code: outcome.reason.code, reason: outcome.reason.message };
    case 'refused':
      return { id: outcome.id, state: 'refused', code: outcome.error.code, reason: outcome.error.message };
  }
}

/** Pending wins over done, refused over both. */
export function shareExitCode(outcomes: readonly ShareOutcome[]): number {
  const refused = outcomes.find((outcome) => outcome.kind === 'refused');
  if (refused !== undefined) return refused.error.facts.exit;
  return outcomes.some((outcome) => outcome.kind === 'pending') ? CODE_FACTS.not_shared.exit : 0;
}

/** Shared ones to standard output, warnings to standard error; one warning for all that wait for one reason. */
export function reportShares(outcomes: readonly ShareOutcome[], io: ProgramIo): number {
  const waiting = outcomes.filter((outcome) => outcome.kind === 'pending');
  for (const outcome of outcomes) {
    if (outcome.kind === 'shared') io.stdout(`Shared as #${outcome.sequence} (${outcome.id})\n`);
    if (outcome.kind === 'refused') {
      io.stderr(`ctx: entry ${outcome.id} was refused (${outcome.error.code}): ${outcome.error.message}\n`);
    }
  }
  const [first] = waiting;
  if (first !== undefined) {
    const what = waiting.length === 1 ? `Entry ${first.id} is` : `${waiting.length} entries are`;
    io.stderr(
      `ctx: warning: saved locally, not shared (${first.reason.code}): ${first.reason.message}\n` +
        `${what} in the outbox; "ctx connection publish" or "ctx connection listen" sends it later.\n`,
    );
  }
  return shareExitCode(outcomes);
}
