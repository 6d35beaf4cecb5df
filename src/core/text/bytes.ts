// Sizes in bytes, as people write and read them.
/** The bytes of `1500`, `64K`, `512M` or `1.5G` (K is 1,024), in any case; undefined if the text has none of these forms. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,15}|\d{1,12}(?:\.\d{1,6})?(?=[KMG]))([KMG]?)$/i.exec(text) ?? [];
  const bytes = Math.round(Number(number) * 1024 ** ' KMG'.indexOf(unit.toUpperCase() || ' '));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes for people, with at most `decimals` decimals: `100 bytes`, `512 MiB`, `1.2 GiB`. */
export function bytesName(bytes: number, decimals = 1): string {
  let power = Math.min(Math.max(Math.floor(Math.log2(bytes) / 10), 0), UNITS.length - 1);
  const inUnit = (): number => Number((bytes / 1024 ** power).toFixed(decimals));
  // Not `1024 MiB` by rounding, which is 1 GiB.
  if (inUnit() === 1024 && power < UNITS.length - 1) power += 1;
  return `${inUnit()} ${bytes === 1 ? 'byte' : UNITS[power]}`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
