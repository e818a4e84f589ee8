/** How much a test does: small in `npm test`, the figures of the reliability plan with CTX_TEST_SCALE=full (`.ci/run`). */

export const fullScale = process.env['CTX_TEST_SCALE'] === 'full';

export function scaled(small: number, full: number): number {
  return fullScale ? full : small;
}
