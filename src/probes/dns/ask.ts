// Asks DNS servers for a record, several of them at once if need be.
import type { DnsRecordType } from './values.ts';

/** What servers answer. */
export type DnsReply =
  /** As Node gives it. */
  { readonly kind: 'answered'; readonly answer: unknown } | DnsFault;

/** `code`: Node's, such as ENOTFOUND. `server`: who it is about. */
interface DnsFault {
  readonly kind: 'fault';
  readonly code: string;
  readonly server: string;
}

/** How they are asked. */
interface DnsQuestion {
  readonly name: string;
  readonly record: DnsRecordType;
  /** Addresses, or `address:port`; one is asked twice. */
  readonly servers: readonly string[];
  readonly timeoutMs: number;
}

/**
 * The first answer of any of the servers: each has the whole time from its turn on, and the next one is asked when one fails or has not
 * answered within its share. That there is no such name or no such record is an answer. If there is none, the fault of a server is
 * returned; undefined if nobody has answered within the time, or once `signal` aborts. Never rejects.
 */
export function askServers(question: DnsQuestion, signal: AbortSignal): Promise<DnsReply | undefined> {
  const { servers, timeoutMs } = question;
  const turns = servers.length === 1 ? [...servers, ...servers] : servers;
  const [beganMs, shareMs] = [performance.now(), timeoutMs / turns.length];
  const asked: { cancel(): void }[] = [];
  return new Promise((resolve) => {
    let [isOver, open] = [false, 0];
    let fault: DnsFault | undefined;
    let next: NodeJS.Timeout | undefined;
    const end = (reply: DnsReply | undefined): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(next);
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      for (const one of asked) one.cancel();
      resolve(reply);
    };
    const take = (reply: DnsReply): void => {
      open--;
      if (isOver) return;
      if (reply.kind === 'answered' || DENIALS.includes(reply.code)) {
        end(reply);
        return;
      }
      if (SILENCES.includes(reply.code)) return;
      // What a server has said says more than that another one cannot be reached.
      if (fault === undefined || fault.code === UNREACHED) fault = reply;
      // The same server would say the same.
      const hasNext = servers.length > 1 && asked.length < turns.length;
      if (hasNext) askNext();
      else if (open === 0) end(fault);
    };
    const askNext = (): void => {
      clearTimeout(next);
      const server = turns[asked.length];
      if (server === undefined || isOver) return;
      open++;
      const leftMs = Math.max(Math.ceil(beganMs + timeoutMs - performance.now()), 1);
      next = setTimeout(askNext, shareMs);
      asked.push(askOne(server, question, leftMs, take));
    };
    const abort = (): void => end(undefined);
    const timer = setTimeout(() => end(fault), timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else askNext();
  });
}

function askOne(
  server: string,
  { name, record }: DnsQuestion,
  timeoutMs: number,
  take: (reply: DnsReply) => void,
): { cancel(): void } {
  // Not an import: most workers never ask DNS.
  const { Resolver } = process.getBuiltinModule('node:dns');
  // c-ares forgets a question that it asks again, and with it an answer that comes late. Unless told, it waits for 5 s at most.
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1, maxTimeout: timeoutMs });
  const fail = (error: NodeJS.ErrnoException): void => take({ kind: 'fault', code: error.code ?? error.message, server });
  try {
    resolver.setServers([server]);
    resolver.resolve(name, record, (error, answer) => (error === null ? take({ kind: 'answered', answer }) : fail(error)));
  } catch (error) {
    queueMicrotask(() => fail(error as Error));
  }
  return resolver;
}

/** No such name, no such record. */
const DENIALS = ['ENOTFOUND', 'ENODATA'];
/** c-ares calls it so whatever keeps it from sending. */
const UNREACHED = 'ECONNREFUSED';
const SILENCES = ['ETIMEOUT', 'ECANCELLED'];
