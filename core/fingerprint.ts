/** The fingerprint of a certificate: SHA-256 in hex, however people write it. */
import { HubError } from './errors';

/** Its hex digits alone, without colons, `sha256:` and upper case. */
export function plainFingerprint(text: string): string {
  return text
    .toLowerCase()
    .replace(/^sha-?256[:=/]/, '')
    .replaceAll(/[^0-9a-f]/g, '');
}

/** As typed at `--fingerprint`. @throws HubError `usage` */
export function requireFingerprint(text: string): string {
  const bare = text.trim().replace(/^sha-?256[:=/]/i, '');
  if (/^([0-9a-f]{2}[: -]?){32}$/i.test(bare)) return text;
  throw new HubError(
    'usage',
    `--fingerprint "${text}" is none: 64 hex digits are needed, with or without colons, as "ctx hub status" shows them on the hub's machine.`,
  );
}
