/**
 * Checks a value that came from outside and returns it typed. It throws a misfit, which `check` turns into a value. Types are
 * derived from shapes (Shaped), never the other way round.
 */
export type Shape<T> = (value: unknown, where: string) => T;

/** The type of the values that a shape accepts. */
export type Shaped<S extends Shape<unknown>> = ReturnType<S>;

/** Checks `value` against `shape`: returns it typed, or what is wrong with it in one line. */
export function check<T>(
  shape: Shape<T>,
  value: unknown,
): { readonly kind: 'fits'; readonly value: T } | { readonly kind: 'misfit'; readonly problem: string } {
  try {
    return { kind: 'fits', value: shape(value, '') };
  } catch (error) {
    if (error instanceof Misfit) return { kind: 'misfit', problem: error.message };
    throw error;
  }
}

/** A text of `min` to `max` UTF-16 units that can be written as UTF-8. */
export function text(max: number, min = 0): Shape<string> {
  return (value, where) => {
    if (typeof value !== 'string') throw unexpected(where, 'a text', value);
    if (value.length < min) throw new Misfit(`${where} must not be empty`);
    if (value.length > max) throw new Misfit(`${where} is too long (expected at most ${max} characters)`);
    if (!value.isWellFormed()) throw new Misfit(`${where} is not valid Unicode text`);
    return value;
  };
}

/** A text of any length: the answer of a daemon is limited as a whole. */
export const anyText: Shape<string> = text(Number.MAX_SAFE_INTEGER);

/** A whole number from `min` to `max`, both included. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, where) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw unexpected(
      where,
      max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
      value,
    );
  };
}

/** A whole number of at least 0. */
export const count: Shape<number> = wholeNumber(0);

/** A finite number of at least 0. */
export const measure: Shape<number> = (value, where) => {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw unexpected(where, 'a number of at least 0', value);
};

/** true or false. */
export const flag: Shape<boolean> = (value, where) => {
  if (typeof value === 'boolean') return value;
  throw unexpected(where, 'true or false', value);
};

/** One of `values`. */
export function oneOf<T extends string>(...values: readonly T[]): Shape<T> {
  return (value, where) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw unexpected(where, values.join(' or '), value);
    return found;
  };
}

/** Absent, or a value of `shape`. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, where) => (value === undefined ? undefined : shape(value, where));
}

/** null, or a value of `shape`. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, where) => (value === null ? null : shape(value, where));
}

/** A list of any length. */
export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw unexpected(where, 'a list', value);
    return value.map((item, i) => shape(item, `${where}[${i}]`));
  };
}

/** A list of texts of any length. */
export const texts: Shape<readonly string[]> = listOf(anyText);

/** The result of `convert` for a value that `shape` accepts. */
export function converted<T, U>(shape: Shape<T>, convert: (value: T) => U): Shape<U> {
  return (value, where) => convert(shape(value, where));
}

/** A value that `shape` accepts and in which `problemOf` finds no problem; a problem is one line. */
export function faultless<T>(shape: Shape<T>, problemOf: (value: T) => string | undefined): Shape<T> {
  return (value, where) => {
    const fitting = shape(value, where);
    const problem = problemOf(fitting);
    if (problem !== undefined) throw new Misfit(problem);
    return fitting;
  };
}

/** The shapes of an object's keys. */
type Fields = Readonly<Record<string, Shape<unknown>>>;

/** An object with these keys; those whose shape is `optional` may be absent. */
export type Checked<F extends Fields> = Flat<
  { readonly [K in keyof F as undefined extends Shaped<F[K]> ? never : K]: Shaped<F[K]> } & {
    readonly [K in keyof F as undefined extends Shaped<F[K]> ? K : never]?: Shaped<F[K]>;
  }
>;

/** The same type, flattened so that editors and compiler errors can show it. */
type Flat<T> = { [K in keyof T]: T[K] };

/** An object with these keys and no others. */
export function strictObject<F extends Fields>(fields: F): Shape<Checked<F>> {
  return (value, where) => {
    const given = plainObject(value, where);
    const unknown = Object.keys(given).find((key) => !Object.hasOwn(fields, key));
    if (unknown !== undefined) throw new Misfit(`unknown key ${JSON.stringify(unknown.slice(0, MAX_SHOWN))}`);
    return checkFields(fields, given, where);
  };
}

/** An object with at least these keys; others are kept unchecked, because a newer daemon may send more. */
export function object<F extends Fields>(fields: F): Shape<Checked<F>> {
  return (value, where) => {
    const given = plainObject(value, where);
    return { ...given, ...checkFields(fields, given, where) };
  };
}

const MAX_SHOWN = 60;

class Misfit extends Error {}

function plainObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw unexpected(where, 'an object', value);
}

function checkFields<F extends Fields>(fields: F, given: Readonly<Record<string, unknown>>, where: string): Checked<F> {
  const checked = Object.entries(fields).map(([key, shape]) => {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    return [key, shape(value, where === '' ? key : `${where}.${key}`)];
  });
  return Object.fromEntries(checked) as Checked<F>;
}

function unexpected(where: string, expected: string, value: unknown): Misfit {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : value === undefined ? 'nothing' : `a ${typeof value}`;
  return new Misfit(`${where === '' ? 'expected' : `${where}: expected`} ${expected}, got ${got}`);
}
