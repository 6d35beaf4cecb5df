import { alignmentOf, type DbusType, parseSignature } from './signature.ts';
import { type DbusValue, Variant } from './values.ts';

/**
 * Encodes values as bytes, in the byte order of this machine (little endian). Throws TypeError if a value is not of its type.
 */
export function encode(signature: string, values: readonly DbusValue[]): Buffer {
  const types = parseSignature(signature);
  if (types.length !== values.length) throw new TypeError(`${types.length} values expected, found ${values.length}`);
  const writer = new Writer();
  for (const [index, type] of types.entries()) writer.write(type, values[index]);
  return writer.bytes();
}

class Writer {
  #buffer = Buffer.alloc(256);
  #length = 0;

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  write(type: DbusType, value: DbusValue | undefined): void {
    this.#pad(alignmentOf(type));
    switch (type.code) {
      case 'v':
        if (!(value instanceof Variant)) throw unfit(type, value);
        this.#signature(value.signature);
        this.#variant(type, value);
        break;
      case 'a':
        this.#array(type.of, value);
        break;
      case '(':
      case '{': {
        const fields = listOf(type, value);
        if (fields.length !== type.fields.length) throw unfit(type, value);
        for (const [index, field] of type.fields.entries()) this.write(field, fields[index]);
        break;
      }
      case 's':
      case 'o':
      case 'g':
        if (typeof value !== 'string' || value.includes('\0')) throw unfit(type, value);
        if (type.code === 'g') this.#signature(value);
        else this.#text(value);
        break;
      case 'b':
        if (typeof value !== 'boolean') throw unfit(type, value);
        this.#number('u', value ? 1 : 0);
        break;
      case 'x':
      case 't': {
        if (typeof value !== 'bigint') throw unfit(type, value);
        const at = this.#grow(8);
        if (type.code === 'x') this.#buffer.writeBigInt64LE(value, at);
        else this.#buffer.writeBigUInt64LE(value, at);
        break;
      }
      default:
        if (typeof value !== 'number' || (type.code !== 'd' && !Number.isInteger(value))) throw unfit(type, value);
        this.#number(type.code, value);
    }
  }

  #variant(type: DbusType, value: Variant): void {
    const [inner, ...more] = parseSignature(value.signature);
    if (inner === undefined || more.length > 0) throw unfit(type, value);
    this.write(inner, value.value);
  }

  #array(of: DbusType, value: DbusValue | undefined): void {
    const lengthAt = this.#grow(4);
    // The padding before the first element does not count towards the array's length.
    this.#pad(alignmentOf(of));
    const begin = this.#length;
    if (Buffer.isBuffer(value) && of.code === 'y') this.#append(value);
    else for (const element of listOf({ code: 'a', of }, value)) this.write(of, element);
    this.#buffer.writeUInt32LE(this.#length - begin, lengthAt);
  }

  #text(value: string): void {
    const bytes = Buffer.from(value);
    this.#number('u', bytes.length);
    this.#append(bytes);
    this.#append(NUL);
  }

  #signature(value: string): void {
    const bytes = Buffer.from(value);
    this.#number('y', bytes.length);
    this.#append(bytes);
    this.#append(NUL);
  }

  #number(code: keyof typeof SIZES, value: number): void {
    const at = this.#grow(SIZES[code]);
    this.#buffer[WRITERS[code]](value, at);
  }

  #append(bytes: Buffer): void {
    const at = this.#grow(bytes.length);
    bytes.copy(this.#buffer, at);
  }

  #pad(alignment: number): void {
    const at = this.#grow((alignment - (this.#length % alignment)) % alignment);
    this.#buffer.fill(0, at, this.#length);
  }

  /** Makes room for that many bytes and returns where they begin. */
  #grow(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length));
      this.#buffer.copy(larger);
      this.#buffer = larger;
    }
    return at;
  }
}

const NUL = Buffer.alloc(1);
const SIZES = { y: 1, n: 2, q: 2, i: 4, u: 4, h: 4, d: 8 } as const;
const WRITERS = {
  y: 'writeUInt8',
  n: 'writeInt16LE',
  q: 'writeUInt16LE',
  i: 'writeInt32LE',
  u: 'writeUInt32LE',
  h: 'writeUInt32LE',
  d: 'writeDoubleLE',
} as const;

function listOf(type: DbusType, value: DbusValue | undefined): readonly DbusValue[] {
  if (!Array.isArray(value)) throw unfit(type, value);
  return value;
}

function unfit(type: DbusType, value: DbusValue | undefined): TypeError {
  return new TypeError(`expected a value of the D-Bus type ${type.code}, found a ${typeof value}`);
}
