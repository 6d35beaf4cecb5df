// Reads `[events]`.

import { closest } from '../config/did-you-mean.ts';
import type { SectionReader } from '../core/config.ts';
import { errorMessage } from '../core/errors.ts';
import { type ProcessEventType, processEventTypes } from '../core/process/event.ts';
import { DEFAULT_EVENT_SOCKET } from '../core/process/event-line.ts';
import { isLoopback, parseHostPort } from '../core/text/host-port.ts';
import { readNamedFile } from '../system/files/read-named-file.ts';
import { checkSocketPath } from '../system/sockets/configured-path.ts';
import type { TlsIdentity } from './secure-socket.ts';

/** `[events]`: where and to whom process events are sent. */
export interface EventStreamOptions {
  /** The Unix socket; undefined: none. */
  readonly socket:
    | {
        /** `socket`: an absolute path; default /run/monitor_service/events.sock. */
        readonly path: string;
        /** `socket_mode`; default 0660. */
        readonly mode: number;
        /** `socket_group`: name or number; undefined: the daemon's own. */
        readonly group: string | undefined;
      }
    | undefined;
  /** `tcp`; undefined: no TCP. */
  readonly tcp:
    | {
        /** 127.0.0.1 if only a port is given. */
        readonly host: string;
        readonly port: number;
        /** `auth`, or the content of `auth_file` without its line end: 1 to 256 bytes. */
        readonly auth: string;
        /** The content of `tls_cert` and `tls_key`; undefined: not encrypted. */
        readonly tls: TlsIdentity | undefined;
      }
    | undefined;
  /** `events`: the event types that clients can get; default exec, exit, fork. */
  readonly types: ReadonlySet<ProcessEventType>;
  /**
   * `clients`: the most clients at once, for root and for all others separately. One user may have at most half of the latter;
   * default 10.
   */
  readonly clients: number;
}

/**
 * Reads `[events]`. Problems go to the reader; none contains the password. The caller must check if the section exists in the
 * file.
 */
export function parseEvents(section: SectionReader, env: NodeJS.ProcessEnv = process.env): EventStreamOptions {
  const path = section.text('socket') ?? DEFAULT_EVENT_SOCKET;
  checkSocketPath(section, 'socket', path);
  return {
    socket: { path, mode: parseMode(section), group: section.text('socket_group') },
    tcp: parseTcp(section, env),
    types: parseTypes(section),
    clients: section.integer('clients', { default: 10, min: 1, max: 1000 }),
  };
}

function parseMode(section: SectionReader): number {
  const text = section.text('socket_mode') ?? '0660';
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  section.problem('socket_mode', `invalid value "${text}", expected permissions in octal, such as 0660`);
  return 0o660;
}

function parseTypes(section: SectionReader): ReadonlySet<ProcessEventType> {
  const names = section.list('events').map((name) => name.toLowerCase());
  const types = processEventTypes.filter((type) => names.includes(type));
  const unknown = names.find((name) => !types.some((type) => type === name));
  if (unknown !== undefined) {
    const meant = closest(unknown, processEventTypes);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    section.problem('events', `invalid value "${unknown}", expected a list of ${processEventTypes.join(', ')}${hint}`);
  }
  return new Set(types.length === 0 ? ['exec', 'exit', 'fork'] : types);
}

function parseTcp(section: SectionReader, env: NodeJS.ProcessEnv): EventStreamOptions['tcp'] {
  const address = section.text('tcp');
  const auth = parseAuth(section, env);
  const tls = parseTls(section, env);
  if (address === undefined) {
    for (const key of ['auth', 'auth_file', 'tls_cert', 'tls_key'])
      if (key === 'auth' ? section.secret(key) : section.text(key)) section.warning(key, 'has no effect without tcp');
    return undefined;
  }
  const place = parseHostPort(address);
  if (place === undefined) {
    section.problem('tcp', `invalid value "${address}", expected HOST:PORT, [IPv6]:PORT or PORT (1 to 65535)`);
    return undefined;
  }
  const { host = LOOPBACK, port } = place;
  if (auth === undefined) {
    // A problem of the password has already been reported.
    if (!section.secret('auth') && section.text('auth_file') === undefined)
      section.problem('tcp', 'needs a password: set auth or auth_file');
    return undefined;
  }
  if (tls === undefined && !isLoopback(host))
    section.warning('tcp', 'sends password and events unencrypted over the network (set tls_cert and tls_key)');
  return { host, port, auth, tls };
}

const LOOPBACK = '127.0.0.1';

function parseAuth(section: SectionReader, env: NodeJS.ProcessEnv): string | undefined {
  const own = section.secret('auth');
  const isFile = section.text('auth_file') !== undefined;
  if (isFile && own) section.warning('auth', 'has no effect: auth_file is used');
  // Editors and echo(1) end the last line with a line break, so that cannot be part of the password.
  const auth = isFile ? readNamedFile(section, 'auth_file', env, { secret: true })?.replace(/\r?\n$/, '') : own || undefined;
  if (auth === undefined) return undefined;
  if (auth !== '' && Buffer.byteLength(auth) <= MAX_AUTH_BYTES && !/[\r\n]/.test(auth)) return auth;
  section.problem(
    isFile ? 'auth_file' : 'auth',
    `invalid value (${auth === '' ? 'empty' : /[\r\n]/.test(auth) ? 'several lines' : 'too long'}), expected one line of 1 to ${MAX_AUTH_BYTES} bytes`,
  );
  return undefined;
}

/** How much is read of a client's line (the procMonitor protocol). */
const MAX_AUTH_BYTES = 256;

function parseTls(section: SectionReader, env: NodeJS.ProcessEnv): TlsIdentity | undefined {
  const [hasCert, hasKey] = [section.text('tls_cert') !== undefined, section.text('tls_key') !== undefined];
  if (hasCert !== hasKey)
    section.problem(hasCert ? 'tls_cert' : 'tls_key', `has no effect alone: set ${hasCert ? 'tls_key' : 'tls_cert'} too`);
  if (!hasCert || !hasKey) return undefined;
  const cert = readNamedFile(section, 'tls_cert', env, { secret: false });
  const key = readNamedFile(section, 'tls_key', env, { secret: true });
  if (cert === undefined || key === undefined) return undefined;
  try {
    // Not an import: node:tls is large, and needed only here and where it is used.
    process.getBuiltinModule('node:tls').createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    section.problem('tls_cert', `cannot be used with tls_key: ${errorMessage(error)}`);
    return undefined;
  }
}
