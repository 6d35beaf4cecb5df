// The client of an event stream.
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { configuredSeconds } from '../../core/text/duration.ts';
import { whyNotBelieved } from '../../system/sockets/server-peer.ts';
import { type EventAddress, eventAddressName } from './address.ts';
import { Conversation, type ConversationOptions } from './conversation.ts';
import { describeStreamFault, type StreamEnd } from './stream-end.ts';

/** How to follow a stream. */
interface FollowOptions extends ConversationOptions {
  readonly stopping: AbortSignal;
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
