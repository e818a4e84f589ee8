/** Looks for a text in everything below a folder. */
import fs from 'node:fs';
import path from 'node:path';

/** Files whose bytes hold the text, relative to the folder. Those that vanish meanwhile hold nothing. */
export function filesWith(dir: string, text: string): string[] {
  const files = fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => path.join(each.parentPath, each.name));
  return files.filter((file) => holds(file, text)).map((file) => path.relative(dir, file));
}

function holds(file: string, text: string): boolean {
  try {
    return fs.readFileSync(file).includes(text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
