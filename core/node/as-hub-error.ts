/** What went wrong, as the one kind of error that is told to people; anything else is a bug and says so by its code. */
import { HubError } from '../errors';

export function asHubError(error: unknown): HubError {
  if (error instanceof HubError) return error;
  return new HubError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
