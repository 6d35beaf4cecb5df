// A D-Bus connection over a Unix socket.

import { MAX_TIMER_MS, soon, systemClock } from '../../../core/clock.ts';
import { errorMessage } from '../../../core/errors.ts';
import { printable } from '../../../core/text/printable.ts';
import { closeDescriptor, duplicateDescriptor } from '../../native/libc.ts';
import { UnixStream } from '../../native/unix-stream.ts';
import { greeting, Handshake } from './handshake.ts';
import { bodyOf, type DbusMessage, encodeMessage, MessageReader, messageTypes } from './message.ts';
import type { DbusValue } from './values.ts';

/** How long a caller waits, and the signal that ends the wait earlier. */
export interface Limit {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A method call. */
export interface Call {
  /** Absent if the call is for the other end of the connection itself. */
  readonly destination?: string | undefined;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly values?: readonly DbusValue[];
  /**
   * Copies of these descriptors are passed with the call, so the caller may close its own at once. The values refer to them by
   * their index in this list.
   */
  readonly descriptors?: readonly number[];
}

/** The result of a call. */
export type CallResult =
  | { readonly kind: 'reply'; readonly values: readonly DbusValue[] }
  /** `name` is for programs (`org.freedesktop.systemd1.NoSuchUnit`), `message` one printable line. */
  | { readonly kind: 'error'; readonly name: string; readonly message: string }
  /** The connection or the called process ended before an answer came: the call may have been carried out. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** The call may still be carried out. */
  | { readonly kind: 'no_answer' }
  | { readonly kind: 'aborted' };

/** Receives what nobody has called for. Its functions must not throw. */
interface ConnectionListener {
  /** How many calls may wait for an answer at once. Further calls wait to be sent. Default: no limit. */
  readonly mostCalls?: number;
  onSignal(message: DbusMessage): void;
  /** The connection has ended, but not by `close`. Called once. */
  onLost(reason: string): void;
}

/** The result of opening a connection. */
type OpenedConnection =
  | { readonly kind: 'open'; readonly connection: DbusConnection }
  /** `silent`: the connection was opened, but nobody answered. */
  | { readonly kind: 'failed'; readonly reason: string; readonly silent?: boolean };

/**
 * A D-Bus connection over a Unix socket: method calls with deadlines, and signals. The connection does not keep the process
 * alive, but a call that is waited for does. Source: D-Bus specification, "Authentication Protocol", "Message Protocol".
 */
export class DbusConnection {
  readonly #listener: ConnectionListener;
  readonly #mostCalls: number;
  readonly #reader = new MessageReader();
  readonly #pending = new Map<number, PendingCall>();
  /**
   * The destinations of calls that were sent and not yet answered, whether or not anybody still waits for them: the bus counts
   * them.
   */
  readonly #unanswered = new Map<number, string | undefined>();
  #held: OutgoingCall[] = [];
  #stream: UnixStream | undefined;
  #handshake: Handshake | undefined = new Handshake();
  #serial = 0;
  #endReason: string | undefined;

  private constructor(listener: ConnectionListener) {
    this.#listener = listener;
    this.#mostCalls = listener.mostCalls ?? Number.POSITIVE_INFINITY;
  }

  /** Connects and authenticates as our own user. When the connection is open, the other end has answered. Never rejects. */
  static async open(path: string, listener: ConnectionListener, limit: Limit): Promise<OpenedConnection> {
    const endMs = performance.now() + limit.timeoutMs;
    for (;;) {
      const connection = new DbusConnection(listener);
      const opened = UnixStream.open(path, {
        onData: (bytes) => connection.#receive(bytes),
        onEnd: (reason) => connection.#end(reason),
      });
      if (opened.kind === 'open') return connection.#authenticate(opened.stream, endMs - performance.now(), limit.signal);
      if (opened.kind === 'failed') return opened;
      if (limit.signal?.aborted || performance.now() >= endMs)
        return { kind: 'failed', reason: `${path}: its queue is full`, silent: true };
      await systemClock.sleep(AGAIN_MS, limit.signal);
    }
  }

  /** Why the connection has ended; undefined while it is open. */
  get over(): string | undefined {
    return this.#endReason;
  }

  /** Never rejects. Throws TypeError or RangeError if the call cannot be encoded, which is a bug. */
  call(call: Call, { timeoutMs, signal }: Limit): Promise<CallResult> {
    const { descriptors = [] } = call;
    const refusal = this.#refusal(signal);
    if (refusal !== undefined || this.#stream === undefined)
      return Promise.resolve(refusal ?? { kind: 'lost', reason: 'the connection is not open' });
    const serial = ++this.#serial;
    const bytes = encodeMessage({ ...call, type: messageTypes.call, serial, descriptors: descriptors.length });
    const outgoing: OutgoingCall = { serial, to: call.destination, bytes, descriptors };
    if (this.#unanswered.size < this.#mostCalls) this.#send(outgoing);
    else this.#held.push({ ...outgoing, descriptors: descriptors.map(duplicateDescriptor) });
    return new Promise((resolve) => {
      const finish = (result: CallResult): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#pending.delete(serial);
        if (this.#endReason !== undefined) this.#sendHeld();
        resolve(result);
      };
      const abort = (): void => finish({ kind: 'aborted' });
      const timer = setTimeout(() => finish({ kind: 'no_answer' }), Math.min(Math.max(timeoutMs, 0), MAX_TIMER_MS));
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(serial, { from: call.destination, finish });
    });
  }

  /** Closes the connection: pending calls are lost, and the listener gets nothing more. Idempotent. */
  close(reason = 'it was closed'): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#stream?.close();
    this.#handshake?.fail(reason);
    for (const { finish } of [...this.#pending.values()]) finish({ kind: 'lost', reason });
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
    return this.#endReason === undefined ? undefined : { kind: 'lost', reason: this.#endReason };
  }

  #send({ serial, to, bytes, descriptors }: OutgoingCall): void {
    if (Number.isFinite(this.#mostCalls)) this.#unanswered.set(serial, to);
    // If the peer does not read for hours, all our calls of that time must not fill our memory: this call is not sent and not
    // answered.
    if ((this.#stream?.waitingBytes ?? 0) <= MAX_WAITING) this.#stream?.send(bytes, descriptors);
  }

  /** Sends held calls in the order in which they were made. A call that nobody waits for any more is never sent. */
  #sendHeld(): void {
    while (this.#held.length > 0 && (this.#endReason !== undefined || this.#unanswered.size < this.#mostCalls)) {
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
      for (const message of this.#reader.push(rest)) if (this.#endReason === undefined) this.#dispatch(message);
    } catch (error) {
      // These bytes are not messages, so whatever follows them means nothing.
      this.#end(errorMessage(error));
    }
  }

  #dispatch(message: DbusMessage): void {
    if (message.type === messageTypes.signal) this.#listener.onSignal(message);
    if (message.type !== messageTypes.reply && message.type !== messageTypes.error) return;
    const { replySerial } = message;
    if (this.#unanswered.has(replySerial) && isFrom(message, this.#unanswered.get(replySerial))) {
      this.#unanswered.delete(replySerial);
      this.#sendHeld();
    }
    const pending = this.#pending.get(replySerial);
    if (pending === undefined || !isFrom(message, pending.from)) return;
    const values = bodyOf(message);
    pending.finish(message.type === messageTypes.reply ? { kind: 'reply', values } : errorOf(message, values[0]));
  }

  #end(reason: string): void {
    if (this.#endReason !== undefined) return;
    const wasOpen = this.#handshake === undefined;
    this.close(reason);
    if (wasOpen) this.#listener.onLost(reason);
  }
}

/** On a bus anybody may send us a message that claims to be an answer. The bus itself reports when there can be no answer. */
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
  readonly finish: (result: CallResult) => void;
}

const AGAIN_MS = 20;
/** The limit of what waits in addition to what the kernel has taken. The longest message is 4 MiB. */
const MAX_WAITING = 1024 * 1024;

function errorOf({ errorName: name, sender }: DbusMessage, text: DbusValue | undefined): CallResult {
  const message = printable(typeof text === 'string' && text !== '' ? text : name).slice(0, MAX_ERROR);
  return sender === BUS && UNANSWERED.includes(name) ? { kind: 'lost', reason: message } : { kind: 'error', name, message };
}

/**
 * Errors that the bus itself sends in place of a called process that has not answered: that process may have carried out the
 * call. The same error from the called process is a refusal.
 */
const UNANSWERED: readonly string[] = ['NoReply', 'Timeout', 'TimedOut', 'Disconnected'].map(
  (name) => `org.freedesktop.DBus.Error.${name}`,
);

const MAX_ERROR = 500;
