// The check `type = tcp`: a TCP service answers.
import type { SectionReader } from '../../../core/config.ts';
import { hostPortName } from '../../../core/text/host-port.ts';
import { sendable } from '../../../probes/expected-text.ts';
import { parseBody } from '../../../probes/http-options.ts';
import { parseAddress } from '../../../probes/tcp.ts';
import type { TcpWork } from '../../../probes/worker/tcp.ts';
import type { CheckType } from '../check.ts';
import { readingOf } from './away.ts';
import { parseEscapes } from './escapes.ts';

/** `[check.NAME]` with `type = tcp`. */
export const tcpCheck = {
  keys: ['address', 'send', 'expect', 'tls', 'certificate_days'],
  secretKeys: ['send'],
  parse,
  create: (work, _check, { worker }) => ({
    description: `tcp ${hostPortName(work)}`,
    look: async (timeoutMs, signal) => readingOf(await worker.ask(work, timeoutMs, signal)),
  }),
} satisfies CheckType<TcpWork>;

/** Reads the keys of this type; problems go to the reader. Undefined if there is no address, or none that can be used. */
function parse(section: SectionReader): TcpWork | undefined {
  const address = parseAddress(section, 'address');
  if (address === undefined && section.text('address') === undefined)
    section.refuse('address', 'is missing: type = tcp needs an address, HOST:PORT');
  // It may hold a password.
  const text = section.secret('send') || undefined;
  const send = text === undefined ? undefined : parseEscapes(text);
  if (send?.kind === 'flawed') section.problem('send', `invalid value, ${send.problem}`);
  const expect = sendable(parseBody(section, 'expect'));
  const tls = section.choice('tls', ['off', 'on'], 'off') === 'on';
  const days = section.integer('certificate_days', { default: 14, min: 0, max: 3650 });
  if (!tls && section.text('certificate_days') !== undefined)
    section.warning('certificate_days', 'has no effect without tls = on');
  if (address === undefined || send?.kind === 'flawed') return undefined;
  return { type: 'tcp', ...address, send: send?.bytes.toString('base64'), expect, tls, certificateDays: tls ? days : 0 };
}
