/** The layers of ARCHITECTURE.md, checked on the imports of every source file. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const root = process.cwd();

interface Rule {
  readonly folder: string;
  /** Packages and built-ins it may import; a pattern. */
  readonly packages: RegExp;
  /** Words that may not stand in its code: clock, randomness, I/O. */
  readonly forbidden?: RegExp;
}

const IMPURE =
  /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|process\.|performance\.|crypto\.|fetch\()/;

/** The first rule whose folder holds the file counts, so the narrow ones come first. */
const RULES: readonly Rule[] = [
  { folder: 'core/node', packages: /^(node:|ws$|zod$|uuid$|pino$)/ },
  { folder: 'core/command-line', packages: /^commander$/, forbidden: IMPURE },
  { folder: 'core', packages: /^zod$/, forbidden: IMPURE },
  { folder: 'hub/raft', packages: /^$/, forbidden: IMPURE },
  { folder: 'hub/state', packages: /^$/, forbidden: IMPURE },
  { folder: 'hub', packages: /^(node:|ws$|zod$|pino$|uuid$|commander$|selfsigned$)/ },
  { folder: 'cli', packages: /^(node:|commander$|zod$|uuid$)/ },
  { folder: 'extension/language', packages: /^(node:|vscode$|vscode-languageclient|vscode-languageserver)/ },
  { folder: 'extension', packages: /^(node:|vscode$|vscode-languageclient|uuid$)/ },
];

const codeSpans = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');

/** The table of ARCHITECTURE.md: by folder, the folders it may import. */
function readLayers(): ReadonlyMap<string, readonly string[]> {
  const rows = [...read('ARCHITECTURE.md').matchAll(/^\| `([a-z/-]+)\/` *\|[^|]*\|([^|]*)\|$/gm)];
  return new Map(rows.map(([, folder = '', imports = '']) => [folder, codeSpans(imports)]));
}

function sources(): string[] {
  return ['core', 'hub', 'cli', 'extension']
    .filter((top) => fs.existsSync(path.join(root, top)))
    .flatMap((top) =>
      fs
        .readdirSync(path.join(root, top), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => path.posix.join(top, name.replaceAll('\\', '/'))),
    );
}

const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');

/** Specifiers of static imports, exports and `import()`; comments that look like imports would only make it stricter. */
function importsOf(code: string): string[] {
  const found = code.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)'([^']+)'/gm);
  return [...found].map((match) => match[1] ?? '');
}

const inside = (file: string, folder: string): boolean => file.startsWith(`${folder}/`);

const LAYERS = readLayers();

/** The longest folder of the table that holds the file. */
function layerOf(file: string): string | undefined {
  for (let folder = path.posix.dirname(file); folder !== '.'; folder = path.posix.dirname(folder)) {
    if (LAYERS.has(folder)) return folder;
  }
  return undefined;
}

function violations(file: string): string[] {
  const rule = RULES.find((each) => inside(file, each.folder));
  const layer = layerOf(file);
  assert.ok(rule !== undefined && layer !== undefined, `${file} is in no known layer`);
  const code = read(file);
  const wrong = importsOf(code).flatMap((specifier) => {
    if (!specifier.startsWith('.')) return rule.packages.test(specifier) ? [] : [`${file} imports ${specifier}`];
    const target = path.posix.join(path.posix.dirname(file), specifier);
    const into = layerOf(`${target}.ts`);
    const allowed = into === layer || (into !== undefined && LAYERS.get(layer)?.includes(into) === true);
    return allowed ? [] : [`${file} imports ${target}`];
  });
  const word = rule.forbidden?.exec(code.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''))?.[0];
  return word === undefined ? wrong : [...wrong, `${file} uses ${word}`];
}

/** Import graph of runtime imports (type-only imports make no circle at run time, and none in the reader's head). */
function graph(files: readonly string[]): Map<string, string[]> {
  const known = new Set(files);
  const edges = new Map<string, string[]>();
  for (const file of files) {
    const code = read(file).replaceAll(/^import type [^;]*;/gm, '');
    const targets = importsOf(code)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => path.posix.join(path.posix.dirname(file), specifier))
      .map((target) => (known.has(`${target}.ts`) ? `${target}.ts` : `${target}/index.ts`));
    edges.set(
      file,
      targets.filter((target) => known.has(target)),
    );
  }
  return edges;
}

function findCircle(edges: Map<string, string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const circle = visit(next, [...trail, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const circle = visit(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe('layers', () => {
  it('every import goes down a layer, and pure folders hold no clock, randomness or I/O', () => {
    assert.deepEqual(sources().flatMap(violations), []);
  });

  it('no file imports itself in a circle', () => {
    assert.equal(findCircle(graph(sources()))?.join(' → '), undefined);
  });

  it('scripts run before anything is installed: built-ins only', () => {
    const wrong = fs
      .readdirSync(path.join(root, 'scripts'), { encoding: 'utf8' })
      .filter((name) => name.endsWith('.mjs'))
      .flatMap((name) => importsOf(read(`scripts/${name}`)).map((specifier) => ({ name, specifier })))
      .filter(({ specifier }) => !specifier.startsWith('node:') && !specifier.startsWith('./'))
      .map(({ name, specifier }) => `${name} imports ${specifier}`);
    assert.deepEqual(wrong, []);
  });

  it('the table names every folder of the source, and lets core import nothing of ours', () => {
    assert.deepEqual(LAYERS.get('core'), []);
    const deepest = new Set(sources().map((file) => path.posix.dirname(file).split('/').slice(0, 2).join('/')));
    const unnamed = [...deepest].filter((folder) => !LAYERS.has(folder) && !folder.startsWith('cli/'));
    assert.deepEqual(unnamed, []);
  });

  it('the check itself sees a forbidden import', () => {
    assert.deepEqual(importsOf("import { a } from '../hub/x';\nconst b = await import('vscode');"), [
      '../hub/x',
      'vscode',
    ]);
  });
});
