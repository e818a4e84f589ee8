// `reliability.json`: what each stage of the reliability plan came to, summed up from counts of suites and from what tests noted
// (test/support/reliability.ts).
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './prepare.mjs';

const OUTPUT = path.join(root, 'test-output');
/** Where tests note what they found out, a file for each stage. */
const NOTES = path.join(OUTPUT, 'reliability');

/** For the environment of what runs below. */
export const reliabilityEnv = { CTX_RELIABILITY: NOTES };

export function beginReliability() {
  fs.rmSync(NOTES, { recursive: true, force: true });
  fs.mkdirSync(NOTES, { recursive: true });
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function notes() {
  const files = fs.existsSync(NOTES) ? fs.readdirSync(NOTES).sort() : [];
  return Object.fromEntries(
    files.map((file) => [file.replace(/\.json$/, ''), JSON.parse(fs.readFileSync(path.join(NOTES, file), 'utf8'))]),
  );
}

/** What a runner's counts say of what it looked for; nothing when it did not run. */
export function figuresOf(counts, tried, good, bad) {
  if (counts === undefined) return undefined;
  return { [tried]: counts.passed + counts.failed, [good]: counts.passed, [bad]: counts.failed };
}

/**
 * `suites`: name → `{ passed, failed, skipped }`; skipped is what this machine does not allow, never counted as passed.
 * `figures`: beside what tests noted, by stage.
 * @returns the file that was written
 */
export function writeReliability(command, suites, figures) {
  const report = {
    schemaVersion: 1,
    kind: 'reliability',
    command,
    version: JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).version,
    commit: commit(),
    finished_at: new Date().toISOString(),
    machine: { platform: process.platform, node: process.version, cpus: os.cpus().length },
    suites,
    figures: { ...notes(), ...figures },
  };
  const file = path.join(OUTPUT, 'reliability.json');
  fs.mkdirSync(OUTPUT, { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  return path.relative(root, file);
}
