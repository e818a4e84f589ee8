/** Relative links and pictures of a Markdown page that lead to none of the given files. */
import fs from 'node:fs';
import path from 'node:path';

export function brokenLinks(page: string, files: readonly string[]): string[] {
  const there = new Set(files.map((file) => file.replaceAll('\\', '/')));
  const links = [...fs.readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(
    ([, link]) => link ?? '',
  );
  if (links.length === 0) throw new Error(`${page} has no links`);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => !there.has(path.posix.join(path.posix.dirname(page), link)));
}
