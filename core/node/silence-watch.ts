/** Notices a peer that is gone without a word (FM-11): asks when it is quiet, gives up before the limit is over. */
import type { WebSocket } from 'ws';
import { HEARTBEAT_TIMEOUT_MS } from '../limits';

/** Checks per heartbeat interval: how finely silence is measured. */
const CHECKS = 3;

/** A token of life: bytes read of the socket below, which also grow in the middle of a large frame. */
function bytesRead(ws: WebSocket): number {
  return (ws as unknown as { _socket?: { bytesRead: number } | null })._socket?.bytesRead ?? 0;
}

/**
 * @param intervalMs how often the hub pings; silence of twice that (at most 30 s) ends the session
 * @param held whether this side itself does not read now
 * @returns a function that ends the watch
 */
export function watchSilence(
  ws: WebSocket,
  intervalMs: number,
  held: () => boolean,
  onSilence: (silentMs: number) => void,
): () => void {
  const limitMs = Math.min(2 * intervalMs, HEARTBEAT_TIMEOUT_MS);
  const checkMs = Math.max(1, Math.floor(limitMs / (2 * CHECKS)));
  let seen = bytesRead(ws);
  let heardAt = performance.now();
  const timer = setInterval(() => {
    const now = bytesRead(ws);
    if (now !== seen || held()) {
      seen = now;
      heardAt = performance.now();
      return;
    }
    const silentMs = performance.now() - heardAt;
    // The next check would come too late.
    if (silentMs + checkMs > limitMs) onSilence(Math.round(silentMs));
    else if (silentMs >= limitMs / 2) ws.ping();
  }, checkMs);
  timer.unref();
  return () => clearInterval(timer);
}
