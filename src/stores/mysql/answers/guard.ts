// Checks the bytes of a MySQL connection before mysql2 reads them.
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { StoreError, type StoreFault } from '../../../core/errors.ts';
import type { Circumstances } from '../faults/words.ts';
import { ANSWER, type Bound, IDLE, LOGIN, sizeWords, withRows } from './bounds.ts';
import { captureConsole } from './console-output.ts';
import type { Driver, Packet, PacketParser } from './driver.ts';
import { GREETING_HEAD, greetingEnd, notGreeting } from './greeting.ts';

/** What a guard needs to know about its connection. */
interface GuardOptions {
  /** For people: `10.0.0.5:3306`. */
  readonly server: string;
  /** Whether TLS has to follow the greeting. */
  readonly tls: boolean;
  /** Gets what mysql2 would print. */
  readonly onConsoleLine: (text: string) => void;
}

/**
 * Checks the bytes of a connection before mysql2, which would keep whatever arrives. It gives the connection up if it does not
 * begin like that of a MySQL server, if an answer is larger than it may be, or if something arrives unencrypted that has to be
 * in TLS. A connection that is given up is destroyed at once, and every waiting caller gets a StoreError.
 */
export class AnswerGuard {
  readonly #driver: Driver;
  readonly #socket: Socket;
  readonly #options: GuardOptions;
  readonly #handle: (packet?: Packet) => void;
  /** The first bytes, until the greeting is recognised. */
  #head: Buffer = Buffer.alloc(0);
  #bound: Bound = LOGIN;
  /** The bytes of the answer so far, as sent and as inflated. */
  #bytes = { sent: 0, inflated: 0 };
  #packets = 0;
  #results = 0;
  #fail: ((error: unknown) => void) | undefined;
  #over = false;

  constructor(driver: Driver, socket: Socket, options: GuardOptions) {
    this.#driver = driver;
    this.#socket = socket;
    this.#options = options;
    this.#handle = driver.handlePacket.bind(driver);
    driver.handlePacket = (packet) => this.#onPacket(packet);
    driver.packetParser = this.#meter(driver.packetParser, 'sent');
    // Nobody else may listen for these errors by then, and an unhandled one would end the process.
    driver.on('error', (error: unknown) => this.#fail?.(error));
  }

  /** What a connection is still waiting for, for people. */
  get missing(): string {
    if (this.#socket.connecting) return 'no connection';
    const { stage } = this.circumstances;
    if (stage === 'open') return 'no answer to the first statement';
    return stage === 'login' ? 'login not completed' : 'no greeting from a MySQL server';
  }

  /** The circumstances of a failure at this moment. */
  get circumstances(): Circumstances {
    const stage = this.#bound.stage !== 'login' ? 'open' : this.#head.length === 0 ? 'greeting' : 'login';
    return { stage, tlsUnused: !this.#options.tls && (this.#driver.serverCapabilityFlags & CLIENT_SSL) !== 0 };
  }

  /** The login is over: from now on nothing may arrive unasked. */
  opened(): void {
    if (this.#driver._inflatedPacketsParser !== undefined) {
      this.#driver.packetParser = this.#meter(this.#driver.packetParser, 'sent');
      this.#driver._inflatedPacketsParser = this.#meter(this.#driver._inflatedPacketsParser, 'inflated');
    }
    this.#expect(IDLE);
  }

  /** The answer to what `ask` sends, with at most `maxRows` rows. It settles once, or fails because the connection fails. */
  answer<T>(maxRows: number, ask: (resolve: (value: T) => void, reject: (error: unknown) => void) => EventEmitter): Promise<T> {
    this.#expect(ANSWER);
    return new Promise<T>((resolve, reject) => {
      this.#fail = reject;
      ask(resolve, reject).on('fields', (columns?: readonly unknown[]) => this.#onColumns(columns?.length ?? 0, maxRows));
    }).finally(() => {
      this.#fail = undefined;
      this.#expect(IDLE);
    });
  }

  #expect(bound: Bound): void {
    this.#bound = bound;
    this.#bytes = { sent: 0, inflated: 0 };
    this.#packets = 0;
    this.#results = 0;
  }

  #meter(parser: PacketParser, kind: 'sent' | 'inflated'): PacketParser {
    return {
      execute: (bytes) => {
        if (this.#over) return;
        this.#bytes[kind] += bytes.length;
        if (this.#bytes[kind] > this.#bound.bytes)
          this.#giveUp(`${this.#bound.what} is larger than ${sizeWords(this.#bound.bytes)}`);
        if (this.#bound.stage === 'login') this.#greet(bytes);
        if (!this.#over) captureConsole(this.#options.onConsoleLine, () => parser.execute(bytes));
      },
    };
  }

  #greet(bytes: Buffer): void {
    if (this.#head.length < GREETING_HEAD) this.#head = Buffer.concat([this.#head, bytes]).subarray(0, GREETING_HEAD);
    const problem = notGreeting(this.#head);
    if (problem !== undefined) this.#giveUp(problem, 'unreachable');
    // Anybody may have sent what is read before TLS begins, and mysql2 would take it for the server's.
    else if (this.#inTheClear() && this.#head.length >= PACKET_HEADER && this.#bytes.sent > greetingEnd(this.#head))
      this.#giveUp('it sent more than its greeting before TLS began');
  }

  #inTheClear(): boolean {
    return this.#options.tls && this.#driver.stream === this.#socket;
  }

  #onPacket(packet: Packet | undefined): void {
    if (packet !== undefined && !this.#over) this.#judge(packet);
    if (!this.#over) this.#handle(packet);
  }

  #judge(packet: Packet): void {
    this.#packets += 1;
    const first = packet.peekByte();
    if (this.#packets > this.#bound.packets) this.#giveUp(`${this.#bound.what} has ${this.#bound.many}`);
    else if (first === FILE_WANTED && this.#bound.stage === 'answer' && this.#results === 0)
      this.#giveUp('it asked for a file of this machine; nothing was sent');
    else if (first === ERROR && packet.length() > ERROR_BYTES) this.#giveUp('its error message is too long');
  }

  /** A result begins that has this many columns; none if it has no rows. */
  #onColumns(columns: number, maxRows: number): void {
    this.#results += 1;
    if (this.#results > 1) this.#giveUp('it sent several results for one statement');
    this.#bound = withRows(columns, this.#packets, maxRows);
  }

  #giveUp(reason: string, fault: StoreFault = 'failed'): void {
    if (this.#over) return;
    this.#over = true;
    const error = new StoreError(fault, `mysql ${this.#options.server}: ${reason}`);
    this.#driver.inflateQueue?._queue.splice(0);
    this.#fail?.(error);
    this.#socket.destroy(error);
  }
}

const CLIENT_SSL = 0x800;
const PACKET_HEADER = 4;
/** No answer has such a packet before its rows. Source: LOCAL INFILE Request. */
const FILE_WANTED = 0xfb;
const ERROR = 0xff;
/** MySQL's own limit is 512. */
const ERROR_BYTES = 4096;
