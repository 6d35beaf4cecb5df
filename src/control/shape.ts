// The shapes of what goes through the control socket. Types are derived from them (Shaped), never the other way round.

import { listOf, misfit, plainObject, text as plainText, type Shape, unexpected, wholeNumber } from '../core/shape.ts';

/** The type of the values that a shape accepts. */
export type Shaped<S extends Shape<unknown>> = ReturnType<S>;

/** A text of `min` to `max` UTF-16 units that can be written as UTF-8. */
export function text(max: number, min = 0): Shape<string> {
  return (value, where) => {
    if (typeof value !== 'string') throw unexpected(where, 'a text', value);
    if (value.length < min) throw misfit(`${where} must not be empty`);
    if (value.length > max) throw misfit(`${where} is too long (expected at most ${max} characters)`);
    if (!value.isWellFormed()) throw misfit(`${where} is not valid Unicode text`);
    return value;
  };
}

/**
 * A text of an answer, of any length: the answer is limited as a whole. What a database holds need not be valid Unicode
 * (exact-text.ts).
 */
export const anyText: Shape<string> = plainText;

/** A whole number of at least 0. */
export const count: Shape<number> = wholeNumber(0);

/** A finite number of at least 0. */
export const measure: Shape<number> = (value, where) => {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw unexpected(where, 'a number of at least 0', value);
};

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
    if (problem !== undefined) throw misfit(problem);
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
    if (unknown !== undefined) throw misfit(`unknown key ${JSON.stringify(unknown.slice(0, MAX_SHOWN))}`);
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

function checkFields<F extends Fields>(fields: F, given: Readonly<Record<string, unknown>>, where: string): Checked<F> {
  const checked = Object.entries(fields).map(([key, shape]) => {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    return [key, shape(value, where === '' ? key : `${where}.${key}`)];
  });
  return Object.fromEntries(checked) as Checked<F>;
}
