import type { EventEmitter } from 'node:events';

/**
 * The parts of mysql2's connection that we use beyond its types. package-lock.json pins its version, and the tests with a rogue
 * server would notice if it changed.
 */
export interface Driver extends EventEmitter {
  readonly stream: unknown;
  /** The capabilities of the server, from its greeting; 0 before it. */
  readonly serverCapabilityFlags: number;
  /** Gets every byte that arrives, after TLS. mysql2 replaces it if the connection is compressed. */
  packetParser: PacketParser;
  /** Gets the compressed bytes. */
  _inflatedPacketsParser?: PacketParser;
  /** The data that is not yet inflated. */
  readonly inflateQueue?: { readonly _queue: unknown[] };
  /** Undefined: a command of ours begins. */
  handlePacket(packet?: Packet): void;
}

/** Splits bytes into packets. */
export interface PacketParser {
  execute(bytes: Buffer): unknown;
}

/** One packet; the next one may reuse the object. */
export interface Packet {
  /** With the header. */
  length(): number;
  /** The first byte after the header. */
  peekByte(): number;
}
