/** When two clocks differ so much that it is worth a word (FM-51). */

const SKEW_MS = 5 * 60 * 1000;

export const isSkewed = (differenceMs: number): boolean => Math.abs(differenceMs) > SKEW_MS;
