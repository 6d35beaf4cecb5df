import { flag, optional, type Shape } from '../core/shape.ts';
import { type Checked, converted, faultless, strictObject, text } from './shape.ts';

/** The arguments of an order, and how a request carries them: in the body of a POST, in the query of a GET. */
export interface Input<A extends readonly unknown[]> {
  /** Reads the arguments from a request; anything that it may not hold is a misfit. */
  readonly read: Shape<A>;
  /** The content of a request with these arguments; undefined values are left out. */
  write(...args: A): Readonly<Record<string, unknown>>;
}

/** A process's name: whatever a database can hold in a name column. */
export const processName: Shape<string> = text(1024, 1);

/** A whole number in a query, in which everything is text. */
export function numeral(min = 0, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  const digits = faultless(text(16), (value) =>
    /^\d{1,15}$/.test(value) && Number(value) >= min && Number(value) <= max
      ? undefined
      : `expected a whole number from ${min} to ${max}`,
  );
  return converted(digits, Number);
}

/** The keys of an order that concerns one process or all of them; pass a shape that holds them to `scoped`. */
export const scopeFields = { name: optional(processName), all: optional(flag) };

/** No arguments. */
export const nothing: Input<[]> = {
  read: converted(strictObject({}), () => []),
  write: () => ({}),
};

/** `{name}`: one process. */
export const oneName: Input<[name: string]> = {
  read: converted(strictObject({ name: processName }), ({ name }) => [name]),
  write: (name) => ({ name }),
};

/** `{name}` or `{all: true}`: one process, or all of them (undefined). */
export const nameOrAll: Input<[name: string | undefined]> = {
  read: converted(scoped(strictObject(scopeFields)), ({ name }) => [name]),
  write: scope,
};

/**
 * A shape with `scopeFields` that takes exactly one of the two; "all" must be explicit, so that a forgotten name is not all.
 */
export function scoped<T extends Checked<typeof scopeFields>>(shape: Shape<T>): Shape<T> {
  return faultless(shape, ({ name, all }) =>
    (name !== undefined) === (all === true) ? 'expected either name, or all: true' : undefined,
  );
}

/** The keys that stand for `name`, or for all of them (undefined). */
export function scope(name: string | undefined): { readonly name: string } | { readonly all: true } {
  return name === undefined ? { all: true } : { name };
}
