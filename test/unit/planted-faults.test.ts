/** Every bug of test/mutants still fits its place in the source, and its tests are there: what does not fit plants nothing. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
interface MutantSet {
  readonly tests: readonly string[];
  readonly mutants: readonly {
    readonly name: string;
    readonly patches: readonly Patch[];
    readonly tests?: readonly string[];
  }[];
}
interface Patching {
  readonly apply: (file: string, text: string, patches: readonly Patch[]) => string;
}

const FOLDER = path.resolve('test/mutants');
const load = (name: string): Promise<unknown> => import(pathToFileURL(path.join(FOLDER, name)).href);

describe('planted faults', () => {
  for (const name of fs.readdirSync(FOLDER).filter((file) => file.endsWith('-mutants.mjs'))) {
    it(`of ${name} fit their places`, async () => {
      const { apply } = (await load('patched.mjs')) as Patching;
      const { mutants, tests } = (await load(name)) as MutantSet;
      assert.ok(mutants.length > 0);
      for (const mutant of mutants) {
        for (const file of new Set(mutant.patches.map((patch) => patch.file))) {
          const text = fs.readFileSync(file, 'utf8');
          const changed = apply(
            file,
            text,
            mutant.patches.filter((patch) => patch.file === file),
          );
          assert.notEqual(changed, text, mutant.name);
        }
        for (const test of mutant.tests ?? tests) assert.ok(fs.existsSync(test), `${mutant.name}: ${test}`);
      }
    });
  }
});
