/**
 * Complete WebSocket text frames (RFC 6455, 5.2) as one buffer each, so that one frame can be written to any number of
 * listeners. Lines go in as they are on disk.
 */
import type { Cursor } from '../../core/cursor';
import type { LogLine } from '../store/log-reader';

const FINAL_TEXT = 0x81;
const COMMA = 0x2c;

/** A frame with room for `length` bytes of payload from `at` on. */
function emptyFrame(length: number): { frame: Buffer; at: number } {
  if (length < 126) {
    const frame = Buffer.allocUnsafe(2 + length);
    frame[0] = FINAL_TEXT;
    frame[1] = length;
    return { frame, at: 2 };
  }
  if (length < 65_536) {
    const frame = Buffer.allocUnsafe(4 + length);
    frame[0] = FINAL_TEXT;
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
    return { frame, at: 4 };
  }
  const frame = Buffer.allocUnsafe(10 + length);
  frame[0] = FINAL_TEXT;
  frame[1] = 127;
  frame.writeUInt32BE(0, 2);
  frame.writeUInt32BE(length, 6);
  return { frame, at: 10 };
}

export function textFrame(text: string): Buffer {
  const { frame, at } = emptyFrame(Buffer.byteLength(text));
  frame.write(text, at);
  return frame;
}

/** `before` + the lines, separated by commas + `after`. Both texts are ASCII. */
function linesFrame(before: string, lines: readonly LogLine[], after: string): Buffer {
  let length = before.length + after.length + Math.max(0, lines.length - 1);
  for (const line of lines) length += line.bytes.length;
  const { frame, at } = emptyFrame(length);
  let end = at + frame.write(before, at, 'latin1');
  for (const [index, line] of lines.entries()) {
    if (index > 0) frame[end++] = COMMA;
    frame.set(line.bytes, end);
    end += line.bytes.length;
  }
  frame.write(after, end, 'latin1');
  return frame;
}

const cursorText = (cursor: Cursor): string => `{"sequence":${cursor.sequence},"digest":"${cursor.digest}"}`;

/** An `entries` push. */
export function entriesFrame(lines: readonly LogLine[], cursor: Cursor): Buffer {
  return linesFrame(`{"kind":"entries","cursor":${cursorText(cursor)},"entries":[`, lines, ']}');
}

/** A `page` answer. */
export function pageFrame(request: number, lines: readonly LogLine[], cursor: Cursor, more: boolean): Buffer {
  const before = `{"kind":"page","request":${request},"cursor":${cursorText(cursor)},"more":${more},"entries":[`;
  return linesFrame(before, lines, ']}');
}
