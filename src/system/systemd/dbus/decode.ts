import { alignmentOf, type DbusType, parseSignature, WireError } from './signature.ts';
import { type DbusValue, Variant } from './values.ts';

/**
 * Decodes the values that `bytes` hold according to their signature. The bytes begin at a multiple of eight. Bytes after the
 * values are ignored. Text that is not UTF-8 gets U+FFFD. Throws WireError if the bytes do not fit the signature.
 */
export function decode(signature: string, bytes: Buffer): DbusValue[] {
  const reader = new Reader(bytes);
  return parseSignature(signature).map((type) => reader.read(type, 0));
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(type: DbusType, depth: number): DbusValue {
    if (depth > MAX_DEPTH) throw new WireError('a value is nested too deep');
    this.#align(alignmentOf(type));
    switch (type.code) {
      case 'v': {
        const signature = this.#text(this.#bytes.readUInt8(this.#take(1)));
        const [inner, ...more] = parseSignature(signature);
        if (inner === undefined || more.length > 0) throw new WireError('a variant must hold exactly one type');
        return new Variant(signature, this.read(inner, depth + 1));
      }
      case 'a':
        return this.#array(type.of, depth);
      case '(':
      case '{':
        return type.fields.map((field) => this.read(field, depth + 1));
      case 's':
      case 'o':
        return this.#text(this.#bytes.readUInt32LE(this.#take(4)));
      case 'g':
        return this.#text(this.#bytes.readUInt8(this.#take(1)));
      case 'y':
        return this.#bytes.readUInt8(this.#take(1));
      case 'b':
        return this.#bytes.readUInt32LE(this.#take(4)) !== 0;
      case 'n':
        return this.#bytes.readInt16LE(this.#take(2));
      case 'q':
        return this.#bytes.readUInt16LE(this.#take(2));
      case 'i':
        return this.#bytes.readInt32LE(this.#take(4));
      case 'u':
      case 'h':
        return this.#bytes.readUInt32LE(this.#take(4));
      case 'x':
        return this.#bytes.readBigInt64LE(this.#take(8));
      case 't':
        return this.#bytes.readBigUInt64LE(this.#take(8));
      case 'd':
        return this.#bytes.readDoubleLE(this.#take(8));
      default:
        return type satisfies never;
    }
  }

  #array(of: DbusType, depth: number): DbusValue {
    const length = this.#bytes.readUInt32LE(this.#take(4));
    this.#align(alignmentOf(of));
    if (of.code === 'y') {
      const at = this.#take(length);
      return Buffer.from(this.#bytes.subarray(at, at + length));
    }
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError('an array extends beyond its message');
    const elements: DbusValue[] = [];
    // Every type has at least one byte, so this loop ends.
    while (this.#at < end) elements.push(this.read(of, depth + 1));
    if (this.#at !== end) throw new WireError('an array ends within an element');
    return elements;
  }

  #text(length: number): string {
    const at = this.#take(length);
    if (this.#bytes[this.#take(1)] !== 0) throw new WireError('a text does not end at its length');
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** Skips that many bytes and returns where they begin. */
  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new WireError('a value extends beyond its message');
    this.#at = at + length;
    return at;
  }

  #align(alignment: number): void {
    this.#at = Math.ceil(this.#at / alignment) * alignment;
  }
}

/**
 * The limit for values nested in values: a bus lets 64 levels pass in a body, and the header that holds one is nested itself.
 */
const MAX_DEPTH = 128;
