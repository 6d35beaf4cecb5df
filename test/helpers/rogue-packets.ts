/** Capabilities of MySQL's protocol that matter here. */
export const CLIENT = {
  LONG_PASSWORD: 0x1,
  CONNECT_WITH_DB: 0x8,
  COMPRESS: 0x20,
  PROTOCOL_41: 0x200,
  SSL: 0x800,
  TRANSACTIONS: 0x2000,
  SECURE_CONNECTION: 0x8000,
  PLUGIN_AUTH: 0x8_0000,
} as const;

/** What a server greets with. */
export interface Greeting {
  /** Default 10. */
  readonly protocol?: number;
  readonly version?: string;
  /** 20 bytes. */
  readonly nonce: Buffer;
  readonly plugin?: string;
  /** Beside those that every server has. */
  readonly capabilities?: number;
}

/** Protocol::HandshakeV10. */
export function greetingPacket({ protocol = 10, version = '8.4.0', nonce, plugin, capabilities = 0 }: Greeting): Buffer {
  const always =
    CLIENT.LONG_PASSWORD | CLIENT.CONNECT_WITH_DB | CLIENT.PROTOCOL_41 | CLIENT.TRANSACTIONS | CLIENT.SECURE_CONNECTION;
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE((always | CLIENT.PLUGIN_AUTH | capabilities) >>> 0);
  return Buffer.concat([
    Buffer.of(protocol),
    text0(version),
    Buffer.of(7, 0, 0, 0),
    nonce.subarray(0, 8),
    Buffer.of(0),
    flags.subarray(0, 2),
    // utf8mb4_general_ci, autocommit.
    Buffer.of(45, 2, 0),
    flags.subarray(2, 4),
    Buffer.of(nonce.length + 1),
    Buffer.alloc(10),
    nonce.subarray(8),
    Buffer.of(0),
    text0(plugin ?? 'caching_sha2_password'),
  ]);
}

/** Protocol::AuthSwitchRequest; the client is to log in by that plugin. */
export function switchPacket(plugin: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0xfe), text0(plugin), data, Buffer.of(0)]);
}

/** Protocol::AuthMoreData. */
export function moreDataPacket(data: Buffer): Buffer {
  return Buffer.concat([Buffer.of(1), data]);
}

/** OK_Packet; `moreResults`: another answer follows. */
export function okPacket({ moreResults = false } = {}): Buffer {
  return Buffer.of(0, 0, 0, moreResults ? 0x0a : 2, 0, 0, 0);
}

/** EOF_Packet. */
export function eofPacket(): Buffer {
  return Buffer.of(0xfe, 0, 0, 2, 0);
}

/** ERR_Packet. */
export function errorPacket(number: number, state: string, message: string | Buffer): Buffer {
  return Buffer.concat([Buffer.of(0xff, number & 0xff, number >> 8), Buffer.from(`#${state}`), Buffer.from(message)]);
}

/** Protocol::ColumnDefinition41 of a text column. */
export function columnPacket(name: string): Buffer {
  const coded = (value: string): Buffer => Buffer.concat([lengthCoded(Buffer.byteLength(value)), Buffer.from(value)]);
  const fixed = Buffer.from([0x0c, 45, 0, 0, 1, 0, 0, 0xfd, 0, 0, 0, 0, 0]);
  return Buffer.concat([coded('def'), coded(''), coded(''), coded(''), coded(name), coded(name), fixed]);
}

/** A row of a prepared statement: these texts; null: NULL. */
export function rowPacket(values: readonly (string | null)[]): Buffer {
  const nulls = Buffer.alloc(Math.floor((values.length + 9) / 8));
  values.forEach((value, i) => {
    if (value === null) nulls[(i + 2) >> 3]! |= 1 << ((i + 2) & 7);
  });
  const texts = values.filter((value) => value !== null).map((value) => Buffer.from(value));
  return Buffer.concat([Buffer.of(0), nulls, ...texts.flatMap((value) => [lengthCoded(value.length), value])]);
}

/** Protocol::LengthEncodedInteger. */
export function lengthCoded(value: number): Buffer {
  if (value < 0xfb) return Buffer.of(value);
  if (value < 0x1_0000) return Buffer.of(0xfc, value & 0xff, value >> 8);
  return Buffer.of(0xfd, value & 0xff, (value >> 8) & 0xff, value >> 16);
}

/** COM_STMT_PREPARE_OK: neither parameters nor columns are told of, as the client does not count them. */
export function preparedPacket(id: number): Buffer {
  return Buffer.of(0, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

function text0(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
