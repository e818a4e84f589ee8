// An esbuild plugin that changes source files while they are bundled; the files themselves stay as they are.
import fs from 'node:fs';
import path from 'node:path';

/** Builds one replacement in a file of `folder` ("" = the repository's root), whose text `find` stands there exactly once. */
export const patchesIn = (folder) => (file, find, replace) => ({ file: folder + file, find, replace });

/** The text of a file with all patches for it. @throws if a patch fits nowhere or more than once. */
export function apply(file, text, patches) {
  return patches.reduce((code, { find, replace }) => {
    const parts = code.split(find);
    if (parts.length !== 2)
      throw new Error(`${file}: ${JSON.stringify(find)} occurs ${parts.length - 1} times, not once`);
    return parts.join(replace);
  }, text);
}

export function patched(patches) {
  const byFile = Map.groupBy?.(patches, ({ file }) => file) ?? group(patches);
  return {
    name: 'patched',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path: full }) => {
        const file = path.relative(process.cwd(), full).split(path.sep).join('/');
        const own = byFile.get(file);
        if (own === undefined) return undefined;
        return { contents: apply(file, fs.readFileSync(full, 'utf8'), own), loader: 'ts' };
      });
    },
  };
}

function group(patches) {
  const map = new Map();
  for (const each of patches) map.set(each.file, [...(map.get(each.file) ?? []), each]);
  return map;
}
