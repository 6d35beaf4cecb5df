// Validates values from outside and gives them a type.
/**
 * Checks a value from outside and returns it with its type. `where` is its place for people: `alarms[0].key`, '' for the whole.
 * If the value does not fit, it throws a misfit, which `check` turns into a value.
 */
export type Shape<T> = (value: unknown, where: string) => T;

/** `value` as checked by `shape`, or why it does not fit, in one line. */
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

/** The error that a shape throws for a value that does not fit; `expected`: what was expected, in words. */
export function unexpected(where: string, expected: string, value: unknown): Error {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : value === undefined ? 'nothing' : `a ${typeof value}`;
  return misfit(`${where === '' ? 'expected' : `${where}: expected`} ${expected}, got ${got}`);
}

/** The error that a shape throws for a value that does not fit; `problem` is one line. */
export function misfit(problem: string): Error {
  return new Misfit(problem);
}

class Misfit extends Error {}

/** Any text. */
export const text: Shape<string> = (value, where) => {
  if (typeof value === 'string') return value;
  throw unexpected(where, 'a text', value);
};

/** A whole number from `min` to `max`, both included; `max` defaults to 2^53 - 1. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, where) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw unexpected(where, `a whole number ${range}`, value);
  };
}

/** true or false. */
export const flag: Shape<boolean> = (value, where) => {
  if (typeof value === 'boolean') return value;
  throw unexpected(where, 'true or false', value);
};

/** true, and nothing else. */
export const yes: Shape<true> = (value, where) => {
  if (value === true) return value;
  throw unexpected(where, 'true', value);
};

/** One of `values`. */
export function oneOf<T extends string>(...values: readonly T[]): Shape<T> {
  return (value, where) => {
    for (const one of values) if (one === value) return one;
    throw unexpected(where, values.join(' or '), value);
  };
}

/** A date in a text, as JSON has it. */
export const date: Shape<Date> = (value, where) => {
  const read = new Date(text(value, where));
  if (Number.isNaN(read.getTime())) throw unexpected(where, 'a date', value);
  return read;
};

/** Absent, or a value of `shape`. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, where) => (value === undefined ? undefined : shape(value, where));
}

/** null, or a value of `shape`. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, where) => (value === null ? null : shape(value, where));
}

/** A value of `shape`; `fallback` if it is absent. */
export function withDefault<T>(shape: Shape<T>, fallback: T): Shape<T> {
  return (value, where) => (value === undefined ? fallback : shape(value, where));
}

/** A value of `shape`; `fallback` if it is absent or does not fit. */
export function otherwise<T, F>(shape: Shape<T>, fallback: F): Shape<T | F> {
  return (value, where) => {
    // An error for each absent field would cost more than all else.
    if (value === undefined) return fallback;
    try {
      return shape(value, where);
    } catch (error) {
      if (error instanceof Misfit) return fallback;
      throw error;
    }
  };
}

/** A value of `shape` that `isSuch` accepts; `expected`: what it accepts, in words. */
export function such<T>(shape: Shape<T>, expected: string, isSuch: (value: T) => boolean): Shape<T> {
  return (value, where) => {
    const shaped = shape(value, where);
    if (!isSuch(shaped)) throw unexpected(where, expected, value);
    return shaped;
  };
}

/** A list of any length. */
export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw unexpected(where, 'a list', value);
    return value.map((item, i) => shape(item, `${where}[${i}]`));
  };
}

/** A shape for each field of T, including optional ones: a forgotten field does not compile. */
type ShapesOf<T> = {
  readonly [K in keyof T]-?: Shape<Partial<Pick<T, K>> extends Pick<T, K> ? T[K] | undefined : T[K]>;
};

/**
 * An object with the fields of T, in the order of `shapes`; a field that its shape makes undefined is left out. `others`: what
 * happens to fields that T does not have. Kept ones are not checked, and the order is the object's own.
 */
export function fields<T extends object>(shapes: ShapesOf<T>, others: 'dropped' | 'kept' = 'dropped'): Shape<T> {
  const entries = Object.entries<Shape<unknown>>(shapes);
  return (value, where) => {
    const given = plainObject(value, where);
    const shaped: Record<string, unknown> = others === 'kept' ? { ...given } : {};
    for (const [key, shape] of entries) {
      const field = shape(Object.hasOwn(given, key) ? given[key] : undefined, where === '' ? key : `${where}.${key}`);
      if (field !== undefined) shaped[key] = field;
    }
    return shaped as T;
  };
}

/** An object used as a map: its keys are among `names`, and its values have `shape`. */
export function mapOf<N extends string, T>(names: readonly N[], shape: Shape<T>): Shape<Partial<Record<N, T>>> {
  const name = oneOf(...names);
  return (value, where) => {
    const entries = Object.entries(plainObject(value, where));
    const shaped = entries.map(([key, item]) => [name(key, where), shape(item, `${where}.${key}`)]);
    return Object.fromEntries(shaped) as Partial<Record<N, T>>;
  };
}

/** Any object that is not a list. */
export function plainObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw unexpected(where, 'an object', value);
}
