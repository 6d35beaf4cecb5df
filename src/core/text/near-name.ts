/**
 * The one of `names` that differs from `name` only in blanks, letter case and the encoding of accents; undefined if there is
 * none, or if `name` itself is among them.
 */
export function nearName(name: string, names: readonly string[]): string | undefined {
  const known = namesBy(names);
  const near = known.get(loose(name));
  return near === name || names.includes(name) ? undefined : near;
}

function loose(name: string): string {
  return name.normalize('NFC').replace(/\s+/gu, '').toLowerCase();
}

const cache = new WeakMap<readonly string[], ReadonlyMap<string, string>>();

/** Built once for each list: thousands of rows are looked up in the same one. */
function namesBy(names: readonly string[]): ReadonlyMap<string, string> {
  const known = cache.get(names);
  if (known !== undefined) return known;
  const made = new Map(names.toReversed().map((name) => [loose(name), name]));
  cache.set(names, made);
  return made;
}
