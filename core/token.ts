/**
 * The text form of a token (PROTOCOL.md, section "Tokens"): `ctx_<kind>_<id>_<secret>_<check>`. Pure: whoever mints a
 * token brings the randomness, whoever keeps one hashes the secret.
 */
import { HubError } from './errors';

/** `cli` = a client of a project, `adm` = the operator, `ctl` = control of a running hub on its own machine. */
export const TOKEN_KINDS = ['cli', 'adm', 'ctl'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

export interface Token {
  readonly kind: TokenKind;
  /** 16 hex digits, public. */
  readonly id: string;
  /** 64 hex digits, never stored by the hub. */
  readonly secret: string;
}

const TOKEN = /^ctx_(cli|adm|ctl)_([0-9a-f]{16})_([0-9a-f]{64})_([0-9a-f]{8})$/;
const TOKEN_LENGTH = 'ctx_cli_'.length + 16 + 1 + 64 + 1 + 8;
const POLYNOMIAL = 0xedb88320;

function crcTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    table[byte] = value;
  }
  return table;
}

const TABLE = crcTable();

/** CRC-32 (ISO-HDLC) of ASCII text, as 8 hex digits. */
export function crc32Hex(text: string): string {
  let crc = 0xffffffff;
  for (let at = 0; at < text.length; at++) crc = (crc >>> 8) ^ (TABLE[(crc ^ text.charCodeAt(at)) & 0xff] ?? 0);
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}

export function formatToken(token: Token): string {
  const body = `ctx_${token.kind}_${token.id}_${token.secret}`;
  return `${body}_${crc32Hex(body)}`;
}

/** `undefined` for anything that is not exactly a token with right check digits. */
export function parseToken(text: string): Token | undefined {
  if (text.length !== TOKEN_LENGTH) return undefined;
  const match = TOKEN.exec(text);
  if (match === null) return undefined;
  const [, kind, id, secret, check] = match;
  if (id === undefined || secret === undefined) return undefined;
  if (check !== crc32Hex(text.slice(0, text.lastIndexOf('_')))) return undefined;
  return { kind: kind as TokenKind, id, secret };
}

/**
 * For people who paste tokens: what is wrong with this one, before any hub is asked.
 * @throws HubError `usage`; the message never repeats the token
 */
export function requireToken(text: string, wanted: TokenKind, what: string): Token {
  const token = parseToken(text.trim());
  if (token === undefined) {
    throw new HubError('usage', `${what} is not a ctx token: it is mistyped or cut. Copy it again, all of it.`);
  }
  if (token.kind !== wanted) {
    const start = `ctx_${wanted}_`;
    throw new HubError(
      'usage',
      `${what} is a token of another kind (ctx_${token.kind}_…); one with ${start}… is needed.`,
    );
  }
  return token;
}
