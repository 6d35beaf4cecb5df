import { alignmentOf, type DbusType, parseSignature, WireError } from './signature.ts';
import { type DbusValue, Variant } from './values.ts';

/**
 * The values that `bytes`, which begin at a multiple of eight, hold by their signature; throws WireError where they do not. Bytes
 * that stand behind them are not looked at. Text that is no UTF-8 gets U+FFFD.
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
        const signature = this.#text(this.#take(1).readUInt8());
        const [inner, ...more] = parseSignature(signature);
        if (inner === undefined || more.length > 0) throw new WireError('a variant is of one type');
        return new Variant(signature, this.read(inner, depth + 1));
      }
      case 'a':
        return this.#array(type.of, depth);
      case '(':
      case '{':
        return type.fields.map((field) => this.read(field, depth + 1));
      case 's':
      case 'o':
        return this.#text(this.#take(4).readUInt32LE());
      case 'g':
        return this.#text(this.#take(1).readUInt8());
      case 'y':
        return this.#take(1).readUInt8();
      case 'b':
        return this.#take(4).readUInt32LE() !== 0;
      case 'n':
        return this.#take(2).readInt16LE();
      case 'q':
        return this.#take(2).readUInt16LE();
      case 'i':
        return this.#take(4).readInt32LE();
      case 'u':
      case 'h':
        return this.#take(4).readUInt32LE();
      case 'x':
        return this.#take(8).readBigInt64LE();
      case 't':
        return this.#take(8).readBigUInt64LE();
      case 'd':
        return this.#take(8).readDoubleLE();
      default:
        return type satisfies never;
    }
  }

  #array(of: DbusType, depth: number): DbusValue {
    const length = this.#take(4).readUInt32LE();
    this.#align(alignmentOf(of));
    if (of.code === 'y') return Buffer.from(this.#take(length));
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError('an array ends behind its message');
    const elements: DbusValue[] = [];
    // No type is of no bytes, so this ends.
    while (this.#at < end) elements.push(this.read(of, depth + 1));
    if (this.#at !== end) throw new WireError('an array ends within an element');
    return elements;
  }

  #text(length: number): string {
    const text = this.#take(length).toString('utf8');
    if (this.#take(1)[0] !== 0) throw new WireError('a text does not end where it says');
    return text;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError('a value ends behind its message');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #align(alignment: number): void {
    this.#at = Math.ceil(this.#at / alignment) * alignment;
  }
}

/** Of values in values: a bus lets 64 pass in a body, and the header that holds one is nested itself. */
const MAX_DEPTH = 128;
