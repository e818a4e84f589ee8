/** A listener that looks at each frame's cursor only. That the stream is right is the tests' business; here it is counted. */
import { openHubSocket, type HubSocket } from './hub-socket';

const ENTRIES = Buffer.from('{"kind":"entries","cursor":{"sequence":');
const COMMA = 0x2c;

export interface HubListenerOptions {
  readonly port: number;
  readonly token: string;
  /** The cursor to start from; absent = the beginning of the log. */
  readonly cursor?: { readonly sequence: number; readonly digest: string };
  /** Sequence of the last entry that has come. */
  readonly onSequence: (sequence: number) => void;
  readonly onEnd?: (error: Error) => void;
}

function sequenceOf(payload: Buffer): number | undefined {
  if (payload.length < ENTRIES.length || ENTRIES.compare(payload, 0, ENTRIES.length) !== 0) return undefined;
  const end = payload.indexOf(COMMA, ENTRIES.length);
  return Number(payload.toString('latin1', ENTRIES.length, end));
}

/** Resolves when the hub has answered `listening`. */
export async function openHubListener(options: HubListenerOptions): Promise<HubSocket> {
  const { port, token, cursor, onSequence } = options;
  let isListening: () => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  const listening = new Promise<void>((resolve, reject) => {
    isListening = resolve;
    failed = reject;
  });
  listening.catch(() => undefined); // Whoever opens it waits for it below; the connection may fail before.
  const onText = (payload: Buffer): void => {
    const sequence = sequenceOf(payload);
    if (sequence === undefined) onOther(payload.toString());
    else onSequence(sequence);
  };
  const onOther = (text: string): void => {
    if (text.startsWith('{"kind":"listening"')) isListening();
    else if (text.startsWith('{"kind":"hello"')) {
      socket.send(JSON.stringify({ kind: 'listen', request: 1, ...(cursor && { cursor }) }));
    } else failed(new Error(`the hub said ${text}`));
  };
  const onEnd = (error: Error): void => {
    failed(error);
    options.onEnd?.(error);
  };
  const socket = await openHubSocket({ port, token, onText, onEnd });
  await listening;
  return socket;
}
