/** What is published: 512 bytes of text, different every time, the same for every contender. */
export const PAYLOAD_BYTES = 512;

const FILLER = 'Decided to keep the shared log as plain JSON lines so that it can be read with ordinary tools. ';
const body = FILLER.repeat(Math.ceil(PAYLOAD_BYTES / FILLER.length));

/** Exactly {@link PAYLOAD_BYTES} bytes of plain ASCII that need no escape in JSON; begins with the number. */
export function payload(number: number): string {
  const title = `Entry ${number} `;
  return title + body.slice(0, PAYLOAD_BYTES - title.length - 1) + '.';
}
