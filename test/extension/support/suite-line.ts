/** Marks a line of the suite's output among what the editor writes to the same console. */
export const SUITE_LINE = '@@suite ';
