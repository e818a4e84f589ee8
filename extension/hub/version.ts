/** Versions of the product, as its manifest writes them. Pure. */

interface Version {
  readonly numbers: readonly number[];
  readonly isPreview: boolean;
}

function parse(text: string): Version {
  const [release = '', ...preview] = text.split('-');
  return { numbers: release.split('.').map(Number), isPreview: preview.length > 0 };
}

/** By `major.minor.patch`; a preview (`1.2.0-beta`) comes before its release. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [parse(version), parse(than)];
  for (const at of [0, 1, 2]) {
    const difference = (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return a.isPreview && !b.isPreview;
}
