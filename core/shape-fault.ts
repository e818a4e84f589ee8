/** What does not fit in JSON that was read, in one line for a message: `watermark.length: Invalid input: expected number`. */
import type * as z from 'zod';

/** As in JavaScript: `clients[0].project`. */
function placeOf(path: readonly PropertyKey[]): string {
  const steps = path.map((each) => (typeof each === 'number' ? `[${each}]` : `.${String(each)}`));
  return steps.join('').replace(/^\./, '');
}

export function shapeFault(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${placeOf(path)}: ${message}`))
    .join('; ');
}
