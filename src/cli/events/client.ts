// The client of an event stream.
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { configuredSeconds } from '../../core/text/duration.ts';
import { whyNotBelieved, whyTcpNotBelieved } from '../../system/sockets/server-peer.ts';
import { type EventAddress, eventAddressName } from './address.ts';
import { LineSplitter } from './line-splitter.ts';
import { Login } from './login.ts';
import { describeStreamFault, type StreamEnd } from './stream-end.ts';

/** How to follow a stream. */
interface FollowOptions {
  readonly address: EventAddress;
  /** Sent if the server asks for one; undefined: there is none. */
  readonly password: string | undefined;
  /** User ids whose servers on this machine are sent the password. A server with a valid certificate may be of any user. */
  readonly trustedUsers: () => ReadonlySet<number>;
  /** A line, without its end, that asks the server to send only some events; undefined: all. */
  readonly request: string | undefined;
  readonly stopping: AbortSignal;
  /** Called once, when the stream is open; lines may have come before. */
  readonly onOpen: () => void;
  /**
   * Takes lines, without their ends, and how many were skipped because they were longer than any event can be. If it returns a
   * promise, nothing more is read until that resolves.
   */
  readonly onLines: (lines: readonly string[], skipped: number) => Promise<void> | undefined;
}

/** Connects, logs in if the server asks for it, and passes on lines until `stopping` or the server ends it. Never rejects. */
export async function followStream(options: FollowOptions): Promise<StreamEnd> {
  const { address, stopping } = options;
  const opened = await openSocket(address, stopping);
  return new Promise((resolve) => {
    const { socket, readyEvent } = opened;
    let isReady = false;
    const end = (outcome: StreamEnd): void => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', stop);
      socket.destroy();
      resolve(outcome);
    };
    const stop = (): void => end({ kind: 'stopped' });
    const conversation = new Conversation(options, socket, end);
    let timer = setTimeout(
      () =>
        end({
          kind: 'unreachable',
          reason: `no connection to ${eventAddressName(address)} within ${configuredSeconds(CONNECT_MS)}`,
        }),
      CONNECT_MS,
    );
    socket.setEncoding('utf8');
    socket.once(readyEvent, () => {
      clearTimeout(timer);
      isReady = true;
      const stranger = address.kind === 'unix' ? whyNotBelieved(socket, address.path) : undefined;
      if (stranger !== undefined)
        end({
          kind: 'forbidden',
          reason: `${eventAddressName(address)}: ${stranger}; it is not trusted, and was sent nothing`,
        });
      else if (isToItself(socket)) end(describeStreamFault({ code: 'ECONNREFUSED' }, address, false));
      else timer = setTimeout(() => conversation.openAfterSilence(), address.kind === 'unix' ? SILENCE_MS : GREETING_MS);
    });
    socket.on('data', (text: unknown) => conversation.receive(String(text)));
    socket.on('end', () => conversation.close());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      conversation.receiveRest();
      end(describeStreamFault(error, address, isReady));
    });
    stopping.addEventListener('abort', stop, { once: true });
    if (stopping.aborted) stop();
  });
}

const CONNECT_MS = 10_000;
/**
 * A full server sends a line and closes the connection. If we write at that moment we get an error, and Node then discards the
 * line: so we wait this long before we write.
 */
const SILENCE_MS = 100;
/** A TCP server that has sent nothing within this time does not ask for a password, and has no events at the moment. */
const GREETING_MS = 10_000;
/** A command line has at most 2 MiB (execve(2)), and each byte of it takes up to 6 characters in JSON. */
const LONGEST_LINE = 16 * 1024 * 1024;
const KEEP_ALIVE_MS = 30_000;

async function openSocket(
  address: EventAddress,
  stopping: AbortSignal,
): Promise<{ socket: Socket | TLSSocket; readyEvent: 'connect' | 'secureConnect' }> {
  if (address.kind === 'unix') return { socket: connect({ path: address.path }), readyEvent: 'connect' };
  const { host, port, tls } = address;
  const place = { host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS, ...(await lookupFor(host, stopping)) };
  if (tls === undefined) return { socket: connect(place), readyEvent: 'connect' };
  const { connect: connectTls } = await import('node:tls');
  const trust = tls.ca === undefined ? {} : { ca: tls.ca };
  const name = isIP(host) === 0 ? { servername: host } : {};
  return { socket: connectTls({ ...place, ...trust, ...name, minVersion: 'TLSv1.2' }), readyEvent: 'secureConnect' };
}

/** The resolver, loaded only if the host is a name. */
async function lookupFor(host: string, stopping: AbortSignal): Promise<{ lookup?: LookupFunction }> {
  if (isIP(host) !== 0) return {};
  const [{ lookupByName }, { NameResolver }] = await Promise.all([
    import('../../system/names/connect.ts'),
    import('../../system/names/resolver.ts'),
  ]);
  return { lookup: lookupByName(new NameResolver(), CONNECT_MS, stopping) };
}

/** If nobody listens on a port of the ephemeral range, the kernel may connect the socket to itself. */
function isToItself({ localPort, remotePort, localAddress, remoteAddress }: Socket): boolean {
  return localPort !== undefined && localPort === remotePort && localAddress === remoteAddress;
}

/** The protocol of a connection, from the greeting to the last line. */
class Conversation {
  readonly #options: FollowOptions;
  readonly #socket: Socket;
  readonly #end: (outcome: StreamEnd) => void;
  readonly #lines = new LineSplitter(LONGEST_LINE);
  #login: Login | undefined;
  #isOpen = false;
  #hasReceived = false;

  constructor(options: FollowOptions, socket: Socket, end: (outcome: StreamEnd) => void) {
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
