/** One line of the report: what was measured, what came out, what it is held against and whether that was reached. */
export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** For people: `ideal 2.5 s`, `under 2 ms`. */
  readonly against: string;
  /** Undefined where nothing was promised. */
  readonly reached: boolean | undefined;
  /** What the bash service took for the same work, in the same unit (seed 000, measured beforehand). */
  readonly bash?: number | undefined;
}

/** The rows as a table for people. */
export function table(rows: readonly BenchRow[]): string {
  const head = ['what', 'value', 'against', 'bash', ''];
  const cells = rows.map(({ what, value, unit, against, reached, bash }) => [
    what,
    `${short(value)} ${unit}`,
    against,
    bash === undefined ? '' : `${short(bash)} ${unit}`,
    reached === undefined ? '' : reached ? 'reached' : 'MISSED',
  ]);
  const lines = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) =>
    line.map((cell, i) => (NUMBERS.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))),
  );
  return padded.map((line) => line.join('  ').trimEnd()).join('\n');
}

/** Columns whose cells stand to the right. */
const NUMBERS: ReadonlySet<number> = new Set([1, 3]);

function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}
