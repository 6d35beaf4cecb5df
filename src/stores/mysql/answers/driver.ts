import type { EventEmitter } from 'node:events';

/** What of mysql2's connection is used beyond its types; package-lock.json pins it, and the tests of a rogue server would see it go. */
export interface Driver extends EventEmitter {
  readonly stream: unknown;
  /** What the greeting says that the server can; 0 before it. */
  readonly serverCapabilityFlags: number;
  /** Gets every byte that comes, out of TLS; another one takes its place where the connection is compressed. */
  packetParser: PacketParser;
  /** Gets what was compressed. */
  _inflatedPacketsParser?: PacketParser;
  /** What is to be inflated still. */
  readonly inflateQueue?: { readonly _queue: unknown[] };
  /** Undefined: a command of ours begins. */
  handlePacket(packet?: Packet): void;
}

/** Makes packets of bytes. */
export interface PacketParser {
  execute(bytes: Buffer): unknown;
}

/** One of them; the next one may take its place. */
export interface Packet {
  /** With the header. */
  length(): number;
  /** The first byte after the header. */
  peekByte(): number;
}
