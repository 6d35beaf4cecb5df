/**
 * A D-Bus value in JavaScript: a number for up to 32 bits, doubles and descriptors (an index); a bigint for 64 bits; a string
 * for strings, paths and signatures; a Buffer for `ay`; an array for all other arrays, structures and dictionary entries.
 */
export type DbusValue = boolean | number | bigint | string | Buffer | Variant | readonly DbusValue[];

/** A value with its own type. */
export class Variant {
  readonly signature: string;
  readonly value: DbusValue;

  /** `signature` holds one complete type. */
  constructor(signature: string, value: DbusValue) {
    this.signature = signature;
    this.value = value;
  }
}
