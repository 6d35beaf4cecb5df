import { MAX_TIMER_MS, soon, systemClock } from '../../../core/clock.ts';
import { errorMessage } from '../../../core/errors.ts';
import { printable } from '../../../core/text/printable.ts';
import { closeDescriptor, duplicateDescriptor } from '../../native/libc.ts';
import { UnixStream } from '../../native/unix-stream.ts';
import { greeting, Handshake } from './handshake.ts';
import { bodyOf, type DbusMessage, encodeMessage, MessageReader, messageTypes } from './message.ts';
import type { DbusValue } from './values.ts';

/** How long somebody waits, and what may end his waiting before. */
export interface Limit {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A method call. */
export interface Call {
  /** Absent where the other end of the connection itself is meant. */
  readonly destination?: string | undefined;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly values?: readonly DbusValue[];
  /** Copies of them are passed with it: the caller may close his own at once. The values hold their places in this list. */
  readonly descriptors?: readonly number[];
}

/** What became of a call. */
export type CallResult =
  | { readonly kind: 'reply'; readonly values: readonly DbusValue[] }
  /** `name` is for programs (`org.freedesktop.systemd1.NoSuchUnit`), `message` one printable line. */
  | { readonly kind: 'error'; readonly name: string; readonly message: string }
  /** The connection, or who was asked, ended before an answer came: the call may have been carried out. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It may be carried out yet. */
  | { readonly kind: 'no_answer' }
  | { readonly kind: 'aborted' };

/** Who hears of what nobody has called for. Neither may throw. */
interface ConnectionListener {
  /** How many calls may wait for an answer at once; those beyond wait to be sent. Default: all. */
  readonly mostCalls?: number;
  onSignal(message: DbusMessage): void;
  /** The connection is over, and not by `close`; called once. */
  onLost(reason: string): void;
}

/** How opening went. */
export type OpenedConnection =
  | { readonly kind: 'open'; readonly connection: DbusConnection }
  /** `silent`: it was opened, but nobody answered. */
  | { readonly kind: 'failed'; readonly reason: string; readonly silent?: boolean };

/**
 * A D-Bus connection over a Unix socket: method calls with deadlines, and signals. It does not keep the process alive, but a call that
 * is waited for does. Source: D-Bus specification, "Authentication Protocol", "Message Protocol".
 */
export class DbusConnection {
  readonly #listener: ConnectionListener;
  readonly #mostCalls: number;
  readonly #reader = new MessageReader();
  readonly #pending = new Map<number, PendingCall>();
  /** Of calls that were sent and are not answered whom they ask, whether or not anybody waits for it still: the bus counts them. */
  readonly #asked = new Map<number, string | undefined>();
  #held: OutgoingCall[] = [];
  #stream: UnixStream | undefined;
  #handshake: Handshake | undefined = new Handshake();
  #serial = 0;
  #over: string | undefined;

  private constructor(listener: ConnectionListener) {
    this.#listener = listener;
    this.#mostCalls = listener.mostCalls ?? Number.POSITIVE_INFINITY;
  }

  /** Connects and authenticates as ourselves. Once it is open the other end has answered. Never rejects. */
  static async open(path: string, listener: ConnectionListener, limit: Limit): Promise<OpenedConnection> {
    const endMs = performance.now() + limit.timeoutMs;
    for (;;) {
      const connection = new DbusConnection(listener);
      const opened = UnixStream.open(path, {
        onData: (bytes) => connection.#receive(bytes),
        onEnd: (reason) => connection.#lose(reason),
      });
      if (opened.kind === 'open') return connection.#authenticate(opened.stream, endMs - performance.now(), limit.signal);
      if (opened.kind === 'failed') return opened;
      if (limit.signal?.aborted || performance.now() >= endMs)
        return { kind: 'failed', reason: `${path}: its queue is full`, silent: true };
      await systemClock.sleep(AGAIN_MS, limit.signal);
    }
  }

  /** Why it is over; undefined while it is open. */
  get over(): string | undefined {
    return this.#over;
  }

  /** Never rejects; throws TypeError or RangeError where the call cannot be put into bytes, which is a bug. */
  call(call: Call, { timeoutMs, signal }: Limit): Promise<CallResult> {
    const { descriptors = [] } = call;
    const refusal = this.#refusal(signal);
    if (refusal !== undefined || this.#stream === undefined)
      return Promise.resolve(refusal ?? { kind: 'lost', reason: 'it is not open' });
    const serial = ++this.#serial;
    const bytes = encodeMessage({ ...call, type: messageTypes.call, serial, descriptors: descriptors.length });
    const outgoing: OutgoingCall = { serial, to: call.destination, bytes, descriptors };
    if (this.#asked.size < this.#mostCalls) this.#send(outgoing);
    else this.#held.push({ ...outgoing, descriptors: descriptors.map(duplicateDescriptor) });
    return new Promise((resolve) => {
      const settle = (result: CallResult): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#pending.delete(serial);
        if (this.#over !== undefined) this.#sendHeld();
        resolve(result);
      };
      const abort = (): void => settle({ kind: 'aborted' });
      const timer = setTimeout(() => settle({ kind: 'no_answer' }), Math.min(Math.max(timeoutMs, 0), MAX_TIMER_MS));
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(serial, { from: call.destination, settle });
    });
  }

  /** Closes it: calls under way are lost, the listener hears nothing more. Idempotent. */
  close(reason = 'it was closed'): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#stream?.close();
    this.#handshake?.fail(reason);
    for (const { settle } of [...this.#pending.values()]) settle({ kind: 'lost', reason });
  }

  async #authenticate(stream: UnixStream, timeoutMs: number, signal: AbortSignal | undefined): Promise<OpenedConnection> {
    this.#stream = stream;
    stream.send(greeting(process.geteuid?.() ?? 0));
    const done = this.#handshake?.done ?? Promise.resolve(undefined);
    const problem = await soon(systemClock, timeoutMs, done, signal);
    if (problem === undefined) {
      stream.unref();
      return { kind: 'open', connection: this };
    }
    this.close();
    return problem === 'late'
      ? { kind: 'failed', reason: signal?.aborted ? 'aborted' : 'it does not answer', silent: true }
      : { kind: 'failed', reason: problem };
  }

  #refusal(signal: AbortSignal | undefined): CallResult | undefined {
    if (signal?.aborted) return { kind: 'aborted' };
    return this.#over === undefined ? undefined : { kind: 'lost', reason: this.#over };
  }

  #send({ serial, to, bytes, descriptors }: OutgoingCall): void {
    if (Number.isFinite(this.#mostCalls)) this.#asked.set(serial, to);
    // Who does not read for hours must not cost us the memory of all that we ask meanwhile: this is not asked, and not answered.
    if ((this.#stream?.waitingBytes ?? 0) <= MAX_WAITING) this.#stream?.send(bytes, descriptors);
  }

  /** In the order in which they were made; those that nobody waits for any more are never sent. */
  #sendHeld(): void {
    while (this.#held.length > 0 && (this.#over !== undefined || this.#asked.size < this.#mostCalls)) {
      const next = this.#held.shift();
      if (next === undefined) return;
      if (this.#pending.has(next.serial)) this.#send(next);
      next.descriptors.forEach(closeDescriptor);
    }
  }

  #receive(bytes: Buffer): void {
    try {
      const rest = this.#handshake === undefined ? bytes : this.#handshake.push(bytes);
      if (rest === undefined) return;
      this.#handshake = undefined;
      for (const message of this.#reader.push(rest)) if (this.#over === undefined) this.#take(message);
    } catch (error) {
      // Bytes that are no messages; whatever follows them means nothing any more.
      this.#lose(errorMessage(error));
    }
  }

  #take(message: DbusMessage): void {
    if (message.type === messageTypes.signal) this.#listener.onSignal(message);
    if (message.type !== messageTypes.reply && message.type !== messageTypes.error) return;
    const { replySerial } = message;
    if (this.#asked.has(replySerial) && isFrom(message, this.#asked.get(replySerial))) {
      this.#asked.delete(replySerial);
      this.#sendHeld();
    }
    const pending = this.#pending.get(replySerial);
    if (pending === undefined || !isFrom(message, pending.from)) return;
    const values = bodyOf(message);
    pending.settle(message.type === messageTypes.reply ? { kind: 'reply', values } : errorOf(message, values[0]));
  }

  #lose(reason: string): void {
    if (this.#over !== undefined) return;
    const wasOpen = this.#handshake === undefined;
    this.close(reason);
    if (wasOpen) this.#listener.onLost(reason);
  }
}

/** On a bus anybody may send us a message that says it is an answer; the bus itself says where there can be none. */
function isFrom({ type, sender }: DbusMessage, callee: string | undefined): boolean {
  return callee === undefined || sender === callee || (type === messageTypes.error && sender === BUS);
}

const BUS = 'org.freedesktop.DBus';

interface OutgoingCall {
  readonly serial: number;
  readonly to: string | undefined;
  readonly bytes: Buffer;
  readonly descriptors: readonly number[];
}

interface PendingCall {
  readonly from: string | undefined;
  readonly settle: (result: CallResult) => void;
}

const AGAIN_MS = 20;
/** What waits beyond what the kernel has taken; the longest message is 4 MiB. */
const MAX_WAITING = 1024 * 1024;

function errorOf({ errorName: name, sender }: DbusMessage, text: DbusValue | undefined): CallResult {
  const message = printable(typeof text === 'string' && text !== '' ? text : name).slice(0, MAX_ERROR);
  return sender === BUS && UNANSWERED.includes(name) ? { kind: 'lost', reason: message } : { kind: 'error', name, message };
}

/** What the bus itself says in the place of who was asked and has not answered: he may have done it. By others it is a refusal. */
const UNANSWERED: readonly string[] = ['NoReply', 'Timeout', 'TimedOut', 'Disconnected'].map(
  (name) => `org.freedesktop.DBus.Error.${name}`,
);

const MAX_ERROR = 500;
