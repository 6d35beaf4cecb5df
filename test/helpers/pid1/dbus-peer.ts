import { closeSync } from 'node:fs';
import { decode } from '../../../src/system/systemd/dbus/decode.ts';
import { encodeMessage } from '../../../src/system/systemd/dbus/message.ts';
import type { DbusValue, Variant } from '../../../src/system/systemd/dbus/values.ts';
import { RawPeer } from './unix-server.ts';

/** A message that has no number yet. */
export type UnnumberedMessage = Omit<Parameters<typeof encodeMessage>[0], 'serial'>;

/** How the other side takes an authentication. */
export type Greeting = 'welcome' | 'rejected' | 'no_descriptors' | 'nonsense' | 'byte_by_byte' | 'silent' | 'endless';

/** By which way a call came. */
export type Caller = { readonly kind: 'private'; readonly peer: DbusPeer } | { readonly kind: 'bus'; readonly name: string };

/** A call that has come to the fake. */
export interface FakeCall {
  /** By which way, and on the bus from whom. */
  readonly caller: Caller;
  readonly serial: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly values: readonly DbusValue[];
  /** As its header says. */
  readonly unixFds: number;
  /** The descriptors that have come with it: whoever handles the call closes them. */
  readonly descriptors: readonly number[];
}

/** A message as the fake takes it. */
export interface FakeMessage extends Omit<FakeCall, 'caller'> {
  readonly type: number;
  readonly destination: string;
}

interface PeerEvents {
  /** The whole of an authentication has come. */
  onHello(): void;
  onMessage(message: FakeMessage): void;
  onEnd(): void;
}

/** The fake's end of one connection, speaking D-Bus. */
export class DbusPeer {
  readonly #peer: RawPeer;
  readonly #events: PeerEvents;
  #bytes = Buffer.alloc(0);
  #descriptors: number[] = [];
  #hasBegun = false;
  #serial = 0;
  #cutNext = false;
  isGreeted = false;

  constructor(fd: number, events: PeerEvents) {
    this.#events = events;
    this.#peer = new RawPeer(fd, {
      onData: (bytes, descriptors) => this.#receive(bytes, descriptors),
      onEnd: () => this.#ended(),
    });
  }

  get isOver(): boolean {
    return this.#peer.isOver;
  }

  greet(greeting: Greeting): void {
    const welcome = `OK ${'0123456789abcdef'.repeat(2)}\r\nAGREE_UNIX_FD\r\n`;
    switch (greeting) {
      case 'welcome':
        this.isGreeted = true;
        this.#peer.send(Buffer.from(welcome));
        return;
      case 'byte_by_byte': {
        this.isGreeted = true;
        const next = (at: number): void => {
          this.#peer.send(Buffer.from(welcome.slice(at, at + 1)));
          if (at + 1 < welcome.length) setImmediate(() => next(at + 1));
        };
        next(0);
        return;
      }
      case 'rejected':
        this.#peer.send(Buffer.from('REJECTED EXTERNAL\u0007\r\n'));
        return;
      case 'no_descriptors':
        this.#peer.send(Buffer.from(`OK ${'0'.repeat(32)}\r\nERROR "no"\r\n`));
        return;
      case 'nonsense':
        this.#peer.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
        return;
      case 'endless':
        this.#peer.send(Buffer.alloc(5000, 'x'));
        return;
      case 'silent':
        return;
      default:
        greeting satisfies never;
    }
  }

  send(message: UnnumberedMessage): void {
    const bytes = encodeMessage({ ...message, serial: ++this.#serial });
    if (!this.#cutNext) {
      this.#peer.send(bytes);
      return;
    }
    this.#peer.send(bytes.subarray(0, bytes.length >> 1));
    this.end(false);
  }

  /** Reads no more, until `resume`. */
  pause(): void {
    this.#peer.pause();
  }

  resume(): void {
    this.#peer.resume();
  }

  /** Bytes as they are. */
  sendBytes(bytes: Buffer): void {
    this.#peer.send(bytes);
  }

  end(inMessage: boolean): void {
    if (inMessage) this.#cutNext = true;
    else {
      this.#peer.close();
      this.#ended();
    }
  }

  #ended(): void {
    for (const fd of this.#descriptors) closeSync(fd);
    this.#descriptors = [];
    this.#events.onEnd();
  }

  #receive(bytes: Buffer, descriptors: readonly number[]): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#descriptors.push(...descriptors);
    if (!this.#hasBegun) {
      const end = this.#bytes.indexOf('BEGIN\r\n');
      if (end < 0) return;
      this.#hasBegun = true;
      this.#bytes = this.#bytes.subarray(end + 'BEGIN\r\n'.length);
      this.#events.onHello();
    }
    while (this.#bytes.length >= 16 && !this.isOver) {
      const fields = this.#bytes.readUInt32LE(12);
      const bodyAt = Math.ceil((16 + fields) / 8) * 8;
      const length = bodyAt + this.#bytes.readUInt32LE(4);
      if (this.#bytes.length < length) return;
      const whole = Buffer.from(this.#bytes.subarray(0, length));
      this.#bytes = this.#bytes.subarray(length);
      this.#events.onMessage(this.#parse(whole, bodyAt));
    }
  }

  #parse(bytes: Buffer, bodyAt: number): FakeMessage {
    const [, type, , , , serial, list] = decode('yyyyuua(yv)', bytes);
    const fields = new Map((list as readonly (readonly [number, Variant])[]).map(([code, { value }]) => [code, value]));
    const text = (code: number): string => String(fields.get(code) ?? '');
    const unixFds = Number(fields.get(9) ?? 0);
    return {
      type: type as number,
      serial: serial as number,
      path: text(1),
      interface: text(2),
      member: text(3),
      destination: text(6),
      signature: text(8),
      values: decode(text(8), Buffer.from(bytes.subarray(bodyAt))),
      unixFds,
      descriptors: this.#descriptors.splice(0, unixFds),
    };
  }
}
