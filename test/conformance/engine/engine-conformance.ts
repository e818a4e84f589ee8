/**
 * The one suite for every engine: what `propose`, the reader and the clients promise, whatever orders the commands and
 * wherever they are kept. An engine's own test file calls {@link engineConformance} with a lab of its own.
 */
import type { EngineLab, MakeLab, OpenedLab } from './engine-lab';
import { appendCases } from './append-cases';
import { clientCases } from './client-cases';
import { crashCases } from './crash-cases';
import { faultCases } from './fault-cases';
import { readCases } from './read-cases';

/** Runs a case in a lab of its own, and puts the lab away whatever happens. */
export type InLab = (test: (lab: EngineLab, opened: OpenedLab) => Promise<void>) => () => Promise<void>;

export function engineConformance(name: string, make: MakeLab): void {
  const inLab: InLab = (test) => async () => {
    const lab = await make();
    try {
      await test(lab, await lab.open());
    } finally {
      await lab.dispose();
    }
  };
  describe(`engine conformance: ${name}`, () => {
    appendCases(inLab);
    readCases(inLab);
    clientCases(inLab);
    crashCases(inLab);
    faultCases(inLab);
  });
}
