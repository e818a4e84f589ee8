/** Takes up a renewed certificate without a restart, and reports one that is about to expire. */
import { expiryProblem, openCertificate, type Certificate, type TlsConfig } from './certificate';
import type { Reported } from './health';
import { HubError } from '../core/errors';

const CHECK_INTERVAL_MS = 60_000;
const PROBLEM = 'certificate';

/**
 * @param renewed told when the files hold another certificate than before
 * @returns a function that ends the watch
 */
export function watchCertificate(
  config: TlsConfig,
  dataDir: string,
  first: Certificate,
  reported: Reported,
  renewed: (certificate: Certificate) => Promise<void>,
  intervalMs = CHECK_INTERVAL_MS,
): () => void {
  let current = first;
  const report = (problem: string | undefined): void => {
    if (problem === undefined) reported.delete(PROBLEM);
    else reported.set(PROBLEM, problem);
  };
  const check = async (): Promise<void> => {
    try {
      const found = await openCertificate(config, dataDir);
      const isNew = found.cert !== current.cert;
      current = found;
      if (isNew) await renewed(found);
      report(expiryProblem(found, new Date()));
    } catch (error) {
      // Half-replaced files are seen as such; the old certificate serves on until they fit.
      if (!(error instanceof HubError)) throw error;
      report(error.message);
    }
  };
  report(expiryProblem(first, new Date()));
  const timer = setInterval(() => void check(), intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
