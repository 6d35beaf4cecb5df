// One look at what DNS says of a name.
import { isIPv6 } from 'node:net';
import { withinWords } from '../../core/text/duration.ts';
import { parseHostPort } from '../../core/text/host-port.ts';
import { quoted } from '../../core/text/printable.ts';
import { readResolvConf } from '../../system/names/dns/resolv-conf.ts';
import { isOwnFault } from '../error-code.ts';
import type { Answer } from '../worker/answer.ts';
import { askServers, type DnsReply } from './ask.ts';
import { type DnsRecordType, type DnsValue, valuesIn } from './values.ts';

/** What has to be looked at. */
export interface DnsWork {
  readonly type: 'dns';
  /** The full name, in ASCII, without a dot at its end. */
  readonly name: string;
  readonly record: DnsRecordType;
  /** `192.0.2.1:53`, `[2001:db8::1]:53`; undefined: those of resolv.conf. */
  readonly server: string | undefined;
  /** What must be among the answers (`expectedValue`); []: any answer is well. */
  readonly expect: readonly string[];
}

/** Looks once, for at most `timeoutMs`. `file`: the path of resolv.conf. Never rejects. */
export async function lookAtDns(work: DnsWork, timeoutMs: number, signal: AbortSignal, file?: string): Promise<Answer> {
  const { name, record, server } = work;
  const conf = server === undefined ? readResolvConf(file) : undefined;
  if (conf?.namesNone) return { kind: 'unknown', reason: 'resolv.conf has no server' };
  const servers = server === undefined ? (conf?.servers ?? []) : [server];
  const reply = await askServers({ name, record, servers, timeoutMs }, signal);
  if (reply === undefined) return { kind: 'failing', reason: `no answer ${withinWords(timeoutMs)}` };
  return reply.kind === 'answered' ? judge(work, valuesIn(record, reply.answer)) : await faultOf(reply, work);
}

function judge({ name, record, expect }: DnsWork, values: readonly DnsValue[]): Answer {
  // A chain of other names that leads to none.
  if (values.length === 0) return { kind: 'failing', reason: `${name} has no ${record} record` };
  const forms = new Set(values.flatMap((value) => value.forms));
  const missing = expect.filter((one) => !forms.has(one));
  if (missing.length === 0) return { kind: 'ok' };
  const shown = values.map((value) => value.shown);
  return { kind: 'failing', reason: `the answer lacks ${listed(missing.map(word))}: it is ${listed(shown)}` };
}

function word(text: string): string {
  return /^[\w.:-]+$/.test(text) ? text : quoted(text);
}

function listed(words: readonly string[]): string {
  const first = words.slice(0, MOST_SHOWN).map((one) => (one.length <= LONGEST ? one : `${one.slice(0, LONGEST)}…`));
  return first.join(', ') + (words.length > first.length ? ` and ${words.length - first.length} more` : '');
}

const MOST_SHOWN = 4;
const LONGEST = 50;

async function faultOf({ code, server }: Extract<DnsReply, { kind: 'fault' }>, { name, record }: DnsWork): Promise<Answer> {
  const failing = (reason: string): Answer => ({ kind: 'failing', reason });
  switch (code) {
    case 'ENOTFOUND':
      return failing(`${name} does not exist (NXDOMAIN)`);
    case 'ENODATA':
      return failing(`${name} has no ${record} record`);
    case 'ESERVFAIL':
      return failing(`server ${server} could not find it out (SERVFAIL)`);
    case 'EREFUSED':
      return failing(`server ${server} refused the question (REFUSED)`);
    case 'ENOTIMP':
    case 'EFORMERR':
      return failing(`server ${server} does not understand the question (${code.slice(1)})`);
    case 'EBADRESP':
      return failing(`what server ${server} answers is not DNS`);
    case 'EEOF':
      return failing(`server ${server} closed the connection`);
    case 'ECONNREFUSED': {
      const own = await faultOnTheWay(server);
      if (own !== undefined) return { kind: 'unknown', reason: `server ${server} cannot be reached from here: ${own}` };
      return failing(`server ${server} cannot be reached (ECONNREFUSED)`);
    }
    default:
      return { kind: 'unknown', reason: code };
  }
}

/** Why nothing can be sent to a server from here; undefined if it can. c-ares says ECONNREFUSED of whatever went wrong. */
async function faultOnTheWay(server: string): Promise<string | undefined> {
  const { host = server, port = DNS_PORT } = parseHostPort(server) ?? {};
  const { createSocket } = process.getBuiltinModule('node:dgram');
  return await new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const end = (error?: NodeJS.ErrnoException): void => {
      const code = error?.code ?? '';
      socket.close();
      resolve(isOwnFault(code) ? code : undefined);
    };
    socket.once('error', end);
    socket.connect(port, host, end as () => void);
  });
}

const DNS_PORT = 53;
