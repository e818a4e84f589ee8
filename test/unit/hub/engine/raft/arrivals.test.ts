/** What another node sends is checked like what a client sends, before it gets into this node's log (S04). */
import assert from 'node:assert/strict';
import { Arrivals } from '../../../../../hub/engine/raft/arrivals';
import { encodeBatch } from '../../../../../hub/engine/raft/command-batch';
import type { StateMachine } from '../../../../../hub/engine/raft/state-machine';
import { EMPTY_CONFIGURATION } from '../../../../../hub/raft/configuration';
import type { Entry } from '../../../../../hub/raft/entry';
import type { Message } from '../../../../../hub/raft/message';
import type { Command } from '../../../../../hub/state/commands';
import { entry, publish, record } from '../../../../support/entries';

const AT = '2026-02-01T00:00:00.000Z';
const LEADER = 2;
const APPLIED = 5;

const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const data = (index: number, value: unknown): Entry => ({ kind: 'data', term: 1, index, data: bytes(value) });
const batch = (...commands: readonly unknown[]): unknown => ({ v: 1, at: AT, commands });
const append = (...entries: readonly Entry[]): Message => {
  const previous = { term: 1, index: (entries[0]?.index ?? 1) - 1 };
  return { kind: 'append', from: LEADER, to: 1, term: 1, previous, commit: 0, entries };
};
const snapshot = (value: unknown): Message => ({
  ...{ kind: 'snapshot', from: LEADER, to: 1, term: 1 },
  snapshot: { term: 1, index: 9, configuration: EMPTY_CONFIGURATION, data: bytes(value) },
});

describe('what another node sends', () => {
  function door(): { arrivals: Arrivals; warned: string[]; remembered: number[] } {
    const warned: string[] = [];
    const remembered: number[] = [];
    const machine = {
      now: { index: APPLIED },
      remember: (index: number) => void remembered.push(index),
    } as unknown as StateMachine;
    return { arrivals: new Arrivals({ machine, warn: (message) => void warned.push(message) }), warned, remembered };
  }
  const good = (...commands: readonly Command[]): string => {
    return Buffer.from(encodeBatch({ receivedAt: AT, commands })).toString();
  };

  it('is taken when it could be applied, and decoded once only', () => {
    const { arrivals, warned, remembered } = door();
    const commands: Command[] = [
      publish(entry('e-1', { meta: { host: 'here' } })),
      { kind: 'register', record: record('1') },
      { kind: 'revoke', clientId: 'whatever a client asked for', at: AT },
    ];
    assert.ok(arrivals.takes(append(data(APPLIED, good(...commands)), data(APPLIED + 1, good(...commands))), LEADER));
    assert.ok(arrivals.takes(append({ kind: 'no-op', term: 1, index: 6 }), LEADER));
    assert.deepEqual([warned, remembered, arrivals.faultOf(LEADER)], [[], [APPLIED + 1], undefined]);
  });

  const stored = { ...entry('e-1') };
  const bad: readonly (readonly [string, Message, RegExp])[] = [
    ['no JSON', append(data(6, 'nonsense')), /Raft entry 6: A Raft entry is no JSON/],
    ['no commands', append(data(6, { v: 1, at: AT })), /Raft entry 6: .*commands/],
    ['an unknown command', append(data(6, batch({ kind: 'drop' }))), /commands\[0\]\.kind/],
    ['an unknown type', append(data(6, batch({ kind: 'publish', entries: [{ ...stored, type: 'x' }] }))), /type/],
    [
      'a forged origin that would break the line',
      append(data(6, batch({ kind: 'publish', entries: [{ ...stored, origin: 'a","sequence":9,"x":"' }] }))),
      /origin: is no name/,
    ],
    [
      'a time that is none',
      append(data(6, { v: 1, at: '","x":"', commands: [publish(entry('e-1'))] })),
      /at: is no time/,
    ],
    [
      'a client whose file would not be read again',
      append(data(6, batch({ kind: 'register', record: { ...record('1'), token_digest: 'short' } }))),
      /token_digest: must be 64 hex digits/,
    ],
    ['a newer version', append(data(6, { v: 99, at: AT, commands: [] })), /newer ctx\. Update this node/],
    [
      'a change that names no member',
      append({
        ...{ kind: 'configuration', term: 1, index: 6 },
        change: { transition: 'auto', changes: [{ kind: 'add-voter', node: 4 }], context: bytes('{}') },
      }),
      /Raft entry 6: .*names no member/,
    ],
    ['a snapshot that is none', snapshot('{'), /A snapshot is no JSON/],
    ['a snapshot of something else', snapshot({ members: [] }), /A snapshot is not understood/],
  ];
  for (const [what, message, why] of bad) {
    it(`is refused by name, once, and kept out: ${what}`, () => {
      const { arrivals, warned } = door();
      assert.equal(arrivals.takes(message, LEADER), false);
      assert.equal(arrivals.takes(message, LEADER), false);
      assert.equal(warned.length, 1);
      assert.match(warned[0] ?? '', why);
      assert.match(arrivals.faultOf(LEADER) ?? '', /^What node 2 sends is refused: /);
      assert.equal(arrivals.faultOf(3), undefined, 'another one leads');
      assert.ok(arrivals.takes(append(data(6, good(publish(entry('e-1'))))), LEADER));
      assert.equal(arrivals.faultOf(LEADER), undefined);
    });
  }
});
