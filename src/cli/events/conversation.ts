// What is said on a connection to a server of the event stream.
import type { Socket } from 'node:net';
import { whyTcpNotBelieved } from '../../system/sockets/server-peer.ts';
import { type EventAddress, eventAddressName } from './address.ts';
import { LineSplitter } from './line-splitter.ts';
import { Login } from './login.ts';
import type { StreamEnd } from './stream-end.ts';

/** What a conversation needs: what it may send, and who takes the lines. */
export interface ConversationOptions {
  readonly address: EventAddress;
  /** Sent if the server asks for one; undefined: there is none. */
  readonly password: string | undefined;
  /** User ids whose servers on this machine are sent the password. A server with a valid certificate may be of any user. */
  readonly trustedUsers: () => ReadonlySet<number>;
  /** A line, without its end, that asks the server to send only some events; undefined: all. */
  readonly request: string | undefined;
  /** Called once, when the stream is open; lines may have come before. */
  readonly onOpen: () => void;
  /**
   * Takes lines, without their ends, and how many were skipped because they were longer than any event can be. If it returns a
   * promise, nothing more is read until that resolves.
   */
  readonly onLines: (lines: readonly string[], skipped: number) => Promise<void> | undefined;
}

/** The protocol of a connection, from the greeting to the last line. `end` is called with how it ends. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #socket: Socket;
  readonly #end: (outcome: StreamEnd) => void;
  readonly #lines = new LineSplitter(LONGEST_LINE);
  #login: Login | undefined;
  #isOpen = false;
  #hasReceived = false;

  constructor(options: ConversationOptions, socket: Socket, end: (outcome: StreamEnd) => void) {
    this.#options = options;
    this.#socket = socket;
    this.#end = end;
    this.#login = options.address.kind === 'tcp' ? new Login() : undefined;
  }

  receive(text: string): void {
    this.#hasReceived = true;
    if (this.#login === undefined) {
      this.#open(text);
      return;
    }
    const step = this.#login.read(text);
    switch (step.kind) {
      case 'more':
        return;
      case 'asked':
        this.#sendPassword();
        return;
      case 'in':
        this.#login = undefined;
        this.#open(step.rest);
        return;
      case 'refused':
        this.#end({ kind: 'forbidden', reason: `${this.#name} refuses the password` });
        return;
      default:
        step satisfies never;
    }
  }

  /** Opens the stream if the server has sent nothing for a while. */
  openAfterSilence(): void {
    if (this.#login?.isUnderWay !== true) this.#open('');
  }

  /** Takes a piece of the stream; the first one opens it. */
  #open(piece: string): void {
    this.#deliver(this.#lines.push(piece));
    if (this.#isOpen) return;
    this.#isOpen = true;
    const { request, onOpen } = this.#options;
    if (request !== undefined) this.#socket.write(`${request}\n`);
    onOpen();
  }

  #sendPassword(): void {
    const { password, address, trustedUsers } = this.#options;
    if (password === undefined) {
      const how = 'give it in $MONITOR_SERVICE_AUTH or with --auth-file FILE';
      this.#end({ kind: 'forbidden', reason: `${this.#name} asks for a password (${how})` });
      return;
    }
    const stranger =
      address.kind === 'tcp' && address.tls === undefined ? whyTcpNotBelieved(this.#socket, trustedUsers()) : undefined;
    if (stranger !== undefined) {
      const cure = 'with --tls a server of another user is trusted by its certificate';
      this.#end({ kind: 'forbidden', reason: `${this.#name}: ${stranger}; it was not sent the password (${cure})` });
      return;
    }
    this.#socket.write(`${password}\n`);
    // The answer may have come together with the question.
    this.receive('');
  }

  /** Takes the text after the last line end, or in place of a login: a full server sends a line and closes the connection. */
  receiveRest(): void {
    const held = this.#login?.held ?? '';
    this.#login = undefined;
    this.#deliver([...this.#lines.push(held), ...this.#lines.end()]);
  }

  close(): void {
    this.receiveRest();
    const { address } = this.#options;
    const isSilent = address.kind === 'tcp' && address.tls === undefined && !this.#hasReceived;
    const hint = isSilent ? ' without sending anything (does it need --tls?)' : '';
    this.#end({ kind: 'closed', reason: `${this.#name} closed the connection${hint}` });
  }

  #deliver(lines: readonly string[]): void {
    const skipped = this.#lines.takeSkipped();
    if (lines.length === 0 && skipped === 0) return;
    const busy = this.#options.onLines(lines, skipped);
    if (busy === undefined) return;
    this.#socket.pause();
    void busy.then(() => this.#socket.resume());
  }

  get #name(): string {
    return eventAddressName(this.#options.address);
  }
}

/** A command line has at most 2 MiB (execve(2)), and each byte of it takes up to 6 characters in JSON. */
const LONGEST_LINE = 16 * 1024 * 1024;
