/** Small JSON files that people edit: read as their editors save them, and told about without what is in them. */

/** A byte order mark, which some editors put first, is no part of the value. @throws SyntaxError */
export function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(
    Buffer.from(bytes)
      .toString('utf8')
      .replace(/^\ufeff/, ''),
  ) as unknown;
}

/** Why it is no JSON, without the piece of the file that the parser quotes: that may be a secret. */
export function jsonFault(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/,? ?(\.\.\.)?"[^]*"(\.\.\.)? is not valid JSON$/, ' is not valid JSON').trim();
}
