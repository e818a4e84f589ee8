/** PROTOCOL.md says what the code does: tables of codes and limits are compared with the source. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { CODE_FACTS, WIRE_CODES } from '../../core/errors';

const protocol = fs.readFileSync('PROTOCOL.md', 'utf8');

describe('PROTOCOL.md', () => {
  it('lists exactly the wire codes, with their close, HTTP and exit codes', () => {
    const rows = [
      ...protocol.matchAll(/^\|\s*`([a-z_]+)`\s*\|\s*(\d{4})\s*\|\s*(\d{3})\s*\|\s*(\d+)\s*\|\s*(yes|no)\s*\|/gm),
    ].map(([, code, close, http, exit, retry]) => ({ code, close, http, exit, retry }));
    const facts = WIRE_CODES.map((code) => {
      const { close, http, exit, retry } = CODE_FACTS[code];
      return { code, close: String(close), http: String(http), exit: String(exit), retry: retry ? 'yes' : 'no' };
    });
    assert.deepEqual(rows, facts);
  });
});
