/**
 * Gate G1: data-driven cases of a public consensus core, run against ours. The data is not part of this repository:
 * `RAFT_TESTDATA` names its folder (default: `shared/raft-conformance` beside the repository).
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { configurationRunner } from './configuration-cases';
import { meaning, parseCases, type Case } from './data-driven';
import { InteractionCluster, outOfScope } from './interaction-cases';
import { noteFigures } from '../../support/reliability';
import { runQuorumCase } from './quorum-cases';

const folder = path.resolve(process.env['RAFT_TESTDATA'] ?? path.join('..', 'shared', 'raft-conformance'));

function runnerFor(kind: string): (one: Case) => string[] {
  if (kind === 'quorum') return runQuorumCase;
  if (kind === 'confchange') return configurationRunner();
  const cluster = new InteractionCluster();
  return (one) => cluster.run(one);
}

const KINDS = ['quorum', 'confchange', 'interaction'] as const;

/** All files below a folder, whatever they are called. */
function filesOf(kind: string): string[] {
  const under = path.join(folder, kind);
  if (!fs.existsSync(under)) return [];
  return fs
    .readdirSync(under, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.txt'))
    .sort();
}

function declare(kind: string, file: string): void {
  const cases = parseCases(fs.readFileSync(path.join(folder, kind, file), 'utf8'));
  const missing = outOfScope(cases);
  const suffix = missing === undefined ? '' : ` (out of scope: ${missing})`;
  describe(`${kind}/${file}${suffix}`, () => {
    const run = runnerFor(kind);
    for (const one of cases) {
      const title = `line ${one.line}: ${[one.command.name, ...one.command.args.map(({ key }) => key)].join(' ')}`;
      if (missing !== undefined) it.skip(title);
      else it(title, () => assert.deepEqual(meaning(run(one).join('\n').split('\n')), meaning(one.expected)));
    }
  });
}

describe('raft conformance', () => {
  let passed = 0;
  afterEach(function () {
    if (this.currentTest?.state === 'passed') passed++;
  });
  after(() => {
    if (found.length > 0) noteFigures('conformance', { files: found.length, cases_passed: passed });
  });

  const found = KINDS.flatMap((kind) => filesOf(kind).map((file): [string, string] => [kind, file]));
  if (found.length === 0) it.skip(`NOT RUN: no cases in ${folder}; set RAFT_TESTDATA to their folder`);
  for (const [kind, file] of found) declare(kind, file);
});
