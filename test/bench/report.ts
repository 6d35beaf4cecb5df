/** One line of the report: what was measured, what came out, what it is held against and whether that was reached. */
export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** For people: `1.12 of the floor 2.50 s, at most 1.20`. */
  readonly against: string;
  /** Undefined where nothing was promised. */
  readonly reached: boolean | undefined;
  /** What the bash service took for the same work, in the same unit (measured beforehand). */
  readonly bash?: number | undefined;
  /** What it is a ratio to, in the same unit; undefined where a count was promised, or nothing. */
  readonly floor?: number;
  readonly atMost?: number | undefined;
}

/** Something measured, and the least this machine takes for it, measured in the same run. */
export interface Measured {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly floor: number;
  /** For people: whose the floor is. */
  readonly of: string;
  /** The ratio that is promised; none where undefined. */
  readonly atMost?: number | undefined;
  readonly bash?: number | undefined;
}

/** A row whose target is a ratio to a floor: machines differ by a factor of four, these hardly. */
export function ratioRow({ of, ...measured }: Measured): BenchRow {
  const { value, unit, floor, atMost } = measured;
  const ratio = value / floor;
  const target = atMost === undefined ? '' : `, at most ${atMost.toFixed(2)}`;
  return {
    ...measured,
    against: `${ratio.toFixed(2)} of the floor ${short(floor)} ${unit}${target} (${of})`,
    reached: atMost === undefined ? undefined : ratio <= atMost,
  };
}

/** Something measured beside what the least of its kind has, where the difference is promised and not the ratio. */
export interface Compared extends Omit<Measured, 'atMost' | 'bash'> {
  /** In the same unit. */
  readonly atMostMore: number;
}

/** A row whose target is a difference to a floor. */
export function differenceRow({ what, value, unit, floor, of, atMostMore }: Compared): BenchRow {
  const more = value - floor;
  return {
    what,
    value,
    unit,
    floor,
    against: `${short(more)} ${unit} more than ${short(floor)} ${unit}, at most ${atMostMore} (${of})`,
    reached: more <= atMostMore,
  };
}

/** A row that promises nothing. */
export function plainRow(what: string, value: number, unit: string): BenchRow {
  return { what, value, unit, against: '', reached: undefined };
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

/** Three digits or more. */
export function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}
