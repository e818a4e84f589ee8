/** How every command line ends: one form of JSON answers, one way from an error to an exit code. */
import assert from 'node:assert/strict';
import { explainFailure, jsonAnswer } from '../../../../core/command-line/end';
import { HubError } from '../../../../core/errors';

function ended(error: unknown): { exit: number | undefined; said: string } {
  let said = '';
  const exit = explainFailure(error, { stderr: (text) => (said += text) });
  return { exit, said };
}

describe('the end of a command', () => {
  it('an answer is one line of ASCII that parses to what was given', () => {
    const line = jsonAnswer('entries', { title: 'a\u2028b\u202ec\u{1f600}\n' });
    assert.match(line, /^[\x20-\x7e]+\n$/);
    assert.deepEqual(JSON.parse(line), { schemaVersion: 1, kind: 'entries', title: 'a\u2028b\u202ec\u{1f600}\n' });
  });

  it('an operating fault is said with its hostile bytes made visible, and gives its exit code', () => {
    assert.deepEqual(ended(new HubError('unreachable', 'No hub \u001b[31m there.')), {
      exit: 69,
      said: 'ctx: No hub \\u{1b}[31m there.\n',
    });
  });

  it('the parser has spoken itself: 64 for wrong arguments, 0 for help', () => {
    const parser = (exitCode: number): Error => Object.assign(new Error('x'), { code: 'commander.any', exitCode });
    assert.deepEqual(ended(parser(1)), { exit: 64, said: '' });
    assert.deepEqual(ended(parser(0)), { exit: 0, said: '' });
  });

  it('a bug is nothing that this explains', () => {
    assert.deepEqual(ended(new TypeError('x')), { exit: undefined, said: '' });
    assert.deepEqual(ended(Object.assign(new Error('x'), { code: 'ENOENT' })), { exit: undefined, said: '' });
  });
});
