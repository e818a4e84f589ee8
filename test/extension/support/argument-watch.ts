/** Watches the command lines of all processes for a secret, as any other user of the machine could. Linux. */
import fs from 'node:fs';

const EVERY_MS = 10;

export interface ArgumentWatch {
  /** @returns how often was looked, and every command line that held the secret */
  readonly end: () => { readonly looks: number; readonly seen: readonly string[] };
}

function commandLines(): readonly string[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // It has ended meanwhile.
      }
    });
}

export function watchArguments(secret: string): ArgumentWatch {
  const seen = new Set<string>();
  let looks = 0;
  const look = (): void => {
    looks += 1;
    for (const line of commandLines()) if (line.includes(secret)) seen.add(line);
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    end: () => {
      clearInterval(timer);
      look();
      return { looks, seen: [...seen] };
    },
  };
}
