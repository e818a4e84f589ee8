/** Whoever has proved nothing yet gets no more room than a proof takes: frames of peers may be as long as a range of the log. */
import type { Duplex } from 'node:stream';
import { MAX_PROOF_BYTES } from './limits';

/** Counts what arrives from now on. @returns the end of that, when there was a proof */
export function holdToProof(stream: Duplex, tooMuch: () => void): () => void {
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= MAX_PROOF_BYTES) return;
    stream.off('data', count);
    tooMuch();
  };
  stream.on('data', count);
  return () => void stream.off('data', count);
}
