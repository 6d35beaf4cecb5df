// The check `type = tcp`: a TCP service answers.
import { isAbsolute } from 'node:path';
import type { SectionReader } from '../../../core/config.ts';
import { hostPortName } from '../../../core/text/host-port.ts';
import { sendable } from '../../../probes/expected-text.ts';
import { parseBody } from '../../../probes/http-options.ts';
import { parseAddress } from '../../../probes/tcp.ts';
import type { TcpWork } from '../../../probes/worker/tcp.ts';
import { readFileNow } from '../../../system/files/read-file-now.ts';
import type { CheckType } from '../check.ts';
import { readingOf } from './away.ts';
import { parseEscapes } from './escapes.ts';

/** What to look at, without what is in files. */
interface TcpOptions {
  readonly work: TcpWork;
  /** `ca_file`, absolute; undefined: the usual authorities. */
  readonly caFile: string | undefined;
}

/** `[check.NAME]` with `type = tcp`. */
export const tcpCheck = {
  keys: ['address', 'send', 'expect', 'tls', 'ca_file', 'certificate_days'],
  secretKeys: ['send'],
  parse,
  create: ({ work, caFile }, _check, { worker }) => ({
    description: `tcp ${hostPortName(work)}`,
    look: async (timeoutMs, signal) => {
      const file = caFile === undefined ? undefined : readFileNow('ca_file', caFile);
      if (file?.kind === 'unreadable') return { kind: 'unknown', reason: file.reason };
      const whole = { ...work, ca: file?.bytes.toString('utf8') };
      return readingOf(await worker.ask(whole, timeoutMs, signal), work.certificateDays);
    },
  }),
} satisfies CheckType<TcpOptions>;

/** Reads the keys of this type; problems go to the reader. Undefined if there is no address, or none that can be used. */
function parse(section: SectionReader): TcpOptions | undefined {
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
  const caFile = section.text('ca_file');
  if (caFile !== undefined && !isAbsolute(caFile)) section.problem('ca_file', 'invalid value, expected an absolute path');
  for (const key of ['ca_file', 'certificate_days'])
    if (!tls && section.text(key) !== undefined) section.warning(key, 'has no effect without tls = on');
  if (address === undefined || send?.kind === 'flawed') return undefined;
  const sent = send?.bytes.toString('base64');
  const work: TcpWork = { type: 'tcp', ...address, send: sent, expect, tls, ca: undefined, certificateDays: tls ? days : 0 };
  return { work, caFile: tls ? caFile : undefined };
}
