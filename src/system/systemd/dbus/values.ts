/**
 * A D-Bus value in JavaScript: numbers for up to 32 bits, doubles and descriptors (an index), bigint for 64 bits, strings for
 * strings, paths and signatures, bytes for `ay`, arrays for all other arrays, for structures and for dictionary entries.
 */
export type DbusValue = boolean | number | bigint | string | Buffer | Variant | readonly DbusValue[];

/** A value that brings its own type. */
export class Variant {
  readonly signature: string;
  readonly value: DbusValue;

  /** `signature` is of one complete type. */
  constructor(signature: string, value: DbusValue) {
    this.signature = signature;
    this.value = value;
  }
}
