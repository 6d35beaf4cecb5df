// Encodes D-Bus messages and reads them from a stream of bytes.

import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { WireError } from './signature.ts';
import { type DbusValue, Variant } from './values.ts';

/** The types of messages. */
export const messageTypes = { call: 1, reply: 2, error: 3, signal: 4 } as const;

/** A received message. Its header is decoded, its body is not. A text that the header does not have is empty, a number is 0. */
export interface DbusMessage {
  /** One of `messageTypes`. A message with any other number must be ignored. */
  readonly type: number;
  readonly serial: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly errorName: string;
  /** The serial number of the call that this message answers. */
  readonly replySerial: number;
  readonly destination: string;
  readonly sender: string;
  readonly signature: string;
  readonly body: Buffer;
}

/** Decodes the values of a message's body. Throws WireError if the body does not fit its signature. */
export function bodyOf({ signature, body }: DbusMessage): DbusValue[] {
  return decode(signature, body);
}

/** What a message to be sent consists of. */
interface OutgoingMessage {
  readonly type: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string | undefined;
  readonly sender?: string;
  readonly signature?: string;
  readonly values?: readonly DbusValue[];
  /** How many descriptors are sent with it. */
  readonly descriptors?: number;
}

/** Encodes a whole message. Throws RangeError if it is longer than 4 MiB, TypeError if a value is not of its type. */
export function encodeMessage(message: OutgoingMessage): Buffer {
  const { type, serial, signature = '', values = [], descriptors = 0 } = message;
  const body = encode(signature, values);
  const fields: DbusValue[] = [];
  const add = (code: number, valueSignature: string, value: DbusValue | undefined): void => {
    if (value !== undefined) fields.push([code, new Variant(valueSignature, value)]);
  };
  add(FIELD.path, 'o', message.path);
  add(FIELD.interface, 's', message.interface);
  add(FIELD.member, 's', message.member);
  add(FIELD.errorName, 's', message.errorName);
  add(FIELD.replySerial, 'u', message.replySerial);
  add(FIELD.destination, 's', message.destination);
  add(FIELD.sender, 's', message.sender);
  add(FIELD.signature, 'g', signature === '' ? undefined : signature);
  add(FIELD.descriptors, 'u', descriptors === 0 ? undefined : descriptors);
  const header = encode('yyyyuua(yv)', [LITTLE_ENDIAN, type, 0, PROTOCOL, body.length, serial, fields]);
  const whole = Buffer.concat([header, Buffer.alloc(padding(header.length)), body]);
  if (whole.length > MAX_OUT) throw new RangeError(`a message of ${whole.length} bytes is longer than ${MAX_OUT}`);
  return whole;
}

const FIELD = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  sender: 7,
  signature: 8,
  descriptors: 9,
} as const;
const LITTLE_ENDIAN = 'l'.charCodeAt(0);
const BIG_ENDIAN = 'B'.charCodeAt(0);
const PROTOCOL = 1;
const MAX_IN = 1024 * 1024;
/** The longest message that the specification allows. */
const LONGEST = 128 * 1024 * 1024;
const MAX_OUT = 4 * 1024 * 1024;
/** The bytes of the header up to and including the length of its fields. */
const FIXED = 16;

function padding(length: number): number {
  return (8 - (length % 8)) % 8;
}

/**
 * Cuts a stream of bytes into messages. On a bus anybody may send us any valid message. The reader skips messages in the other
 * byte order, which neither the bus nor systemd of this machine writes, and messages that are longer than 1 MiB.
 */
export class MessageReader {
  #chunks: Buffer[] = [];
  #size = 0;
  /** How many bytes are needed before there is anything to read. */
  #wanted = FIXED;
  /** How many bytes of a skipped message are still to come. */
  #passing = 0;

  /** Returns the messages that these bytes complete. Throws WireError if the bytes cannot be messages. */
  push(chunk: Buffer): DbusMessage[] {
    const passed = Math.min(this.#passing, chunk.length);
    this.#passing -= passed;
    if (passed === chunk.length) return [];
    // The chunk belongs to the caller, which uses it again.
    this.#keep([...this.#chunks, Buffer.from(chunk.subarray(passed))]);
    const messages: DbusMessage[] = [];
    while (this.#size >= this.#wanted) {
      const [first = NOTHING, ...others] = this.#chunks;
      const bytes = others.length === 0 ? first : Buffer.concat(this.#chunks);
      const { length, isWanted } = measure(bytes);
      if (isWanted && bytes.length < length) {
        this.#keep([bytes]);
        this.#wanted = length;
        break;
      }
      if (isWanted) messages.push(parseMessage(bytes.subarray(0, length)));
      this.#passing = Math.max(length - bytes.length, 0);
      this.#keep([bytes.subarray(length)]);
      this.#wanted = FIXED;
    }
    return messages;
  }

  #keep(chunks: Buffer[]): void {
    this.#chunks = chunks;
    this.#size = chunks.reduce((sum, { length }) => sum + length, 0);
  }
}

const NOTHING = Buffer.alloc(0);

/** Returns the length of the message that begins here, and whether it is to be read. At least its first 16 bytes are there. */
function measure(bytes: Buffer): { readonly length: number; readonly isWanted: boolean } {
  const isOurs = bytes[0] === LITTLE_ENDIAN;
  if ((!isOurs && bytes[0] !== BIG_ENDIAN) || bytes[3] !== PROTOCOL) throw new WireError('this is not a D-Bus message');
  const [body, fields] = [4, 12].map((at) => (isOurs ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))) as [number, number];
  const length = FIXED + fields + padding(fields) + body;
  if (length > LONGEST) throw new WireError(`a message of ${length} bytes is longer than the allowed ${LONGEST}`);
  return { length, isWanted: isOurs && length <= MAX_IN };
}

function parseMessage(bytes: Buffer): DbusMessage {
  const [, type, , , bodyLength, serial, fields] = decode('yyyyuua(yv)', bytes);
  const found = new Map<DbusValue, DbusValue>();
  for (const field of fields as readonly (readonly [number, Variant])[]) found.set(field[0], field[1].value);
  const text = (code: number): string => {
    const value = found.get(code) ?? '';
    if (typeof value !== 'string') throw new WireError('a header field has the wrong type');
    return value;
  };
  return {
    type: type as number,
    serial: serial as number,
    path: text(FIELD.path),
    interface: text(FIELD.interface),
    member: text(FIELD.member),
    errorName: text(FIELD.errorName),
    replySerial: Number(found.get(FIELD.replySerial) ?? 0),
    destination: text(FIELD.destination),
    sender: text(FIELD.sender),
    signature: text(FIELD.signature),
    body: bytes.subarray(bytes.length - (bodyLength as number)),
  };
}
