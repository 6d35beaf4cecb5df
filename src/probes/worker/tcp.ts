// One look at a TCP service: connect, perhaps by TLS, send a text, and read the answer.
import type { Socket } from 'node:net';
import type { CheckResult, HealthResult } from '../../core/outcomes.ts';
import type { NameResolver } from '../../system/names/resolver.ts';
import { authoritiesFault } from '../authorities.ts';
import { type CertificateWarning, certificateWarning, tlsFault } from '../certificate.ts';
import { errorCode, isOwnFault } from '../error-code.ts';
import { type ExpectedText, expectedWords, meets } from '../expected-text.ts';
import { MOST_MATCHED } from '../match.ts';
import { type HostAndPort, withConnection } from '../tcp.ts';
import type { Answer } from './answer.ts';

/** What has to be looked at. */
export interface TcpWork extends HostAndPort {
  readonly type: 'tcp';
  /** Sent once the connection is established, in base64; undefined: nothing. */
  readonly send: string | undefined;
  /** What the answer must contain or match; undefined: no answer is waited for. */
  readonly expect: ExpectedText | undefined;
  /** By TLS; the certificate is verified. */
  readonly tls: boolean;
  /** The authorities that are trusted, in place of the usual ones: PEM. */
  readonly ca: string | undefined;
  /** A certificate that ends within so many days is a warning; 0: never. */
  readonly certificateDays: number;
}

type Finish = (result: HealthResult | Answer) => void;

/** Looks once. Never rejects. */
export async function lookAtTcp(work: TcpWork, names: NameResolver, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  // TLS costs megabytes: only what needs it loads it.
  const tls = work.tls ? await import('node:tls') : undefined;
  const { ca } = work;
  const fault = ca === undefined ? undefined : authoritiesFault(ca);
  if (fault !== undefined) return { kind: 'unknown', reason: fault };
  let certificate: CertificateWarning;
  const result = await withConnection<Answer>(work, names, timeoutMs, signal, (socket, finish) => {
    if (tls === undefined) return converse(socket, work, finish);
    const name = /^[\d.]+$|:/.test(work.host) ? {} : { servername: work.host };
    // Stated explicitly: an environment variable can turn it off.
    const secured = tls.connect({ socket, host: work.host, ...name, ca, rejectUnauthorized: true }, () => {
      certificate = certificateWarning(secured, work.host, work.certificateDays);
      converse(secured, work, finish);
    });
    secured.on('error', (error) => {
      const code = errorCode(error);
      finish({ kind: 'failing', reason: tlsFault(code, work.host) ?? code });
    });
  });
  return { ...answerOf(result), certificate };
}

/** Sends, and reads until the answer is as expected. */
function converse(socket: Socket, { send, expect }: TcpWork, finish: Finish): void {
  const well = (): void => finish({ kind: 'ok' });
  if (send !== undefined) socket.write(send, 'base64');
  if (expect === undefined) {
    // What was to be sent must have been sent before the connection is closed.
    if (send === undefined) well();
    else socket.end(well);
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  let next: NodeJS.Timeout | undefined;
  const wanted = expectedWords(expect);
  const look = (isLast: boolean): void => {
    clearTimeout(next);
    next = undefined;
    const found = meets(Buffer.concat(chunks, length).toString('utf8'), expect);
    if (found === 'yes') well();
    else if (found === 'slow') finish({ kind: 'unknown', reason: `matching the answer against ${wanted} takes too long` });
    else if (isLast)
      finish({ kind: 'failing', reason: `the answer ${expect.kind === 'text' ? 'lacks' : 'does not match'} ${wanted}` });
  };
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MOST_MATCHED) look(true);
    // Not at every byte: whoever sends them one by one would keep us busy.
    else next ??= setTimeout(() => look(false), LOOK_MS);
  });
  socket.on('end', () => look(true));
  socket.on('close', () => clearTimeout(next));
}

const LOOK_MS = 20;

function answerOf(result: CheckResult | Answer): Answer {
  switch (result.kind) {
    case 'healthy':
      return { kind: 'ok' };
    case 'unhealthy':
      return result.unseen || isOwnFault(result.reason)
        ? { kind: 'unknown', reason: result.reason }
        : { kind: 'failing', reason: result.reason };
    case 'not_proved':
      return { kind: 'unknown', reason: `${result.reason}: ${result.detail}` };
    default:
      return result;
  }
}
