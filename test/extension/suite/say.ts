/** A line for whoever reads the run's output. */
import { SUITE_LINE } from '../support/suite-line';

export const say = (line: string): void => console.log(`${SUITE_LINE}      ${line}`);
