// The places where a MySQL server may answer, parsed from `host`, `port` and `socket`.
import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { SectionReader } from '../../core/config.ts';
import { hostPortName } from '../../core/text/host-port.ts';

/** One place where a server may answer. */
export type MysqlEndpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** `optional`: one of the usual places, which is skipped if nothing is there. */
  | { readonly kind: 'socket'; readonly path: string; readonly optional: boolean };

/** For people: `10.0.0.5:3306`, `[::1]:3306`, `unix:/run/mysqld/mysqld.sock`. */
export function endpointName(endpoint: MysqlEndpoint): string {
  return endpoint.kind === 'socket' ? `unix:${endpoint.path}` : hostPortName(endpoint);
}

/** The value of `host` that means the Unix socket. */
export const LOCALHOST = 'localhost';

/** False for a usual place at which there is no socket. */
export function isThere(endpoint: MysqlEndpoint): boolean {
  return endpoint.kind !== 'socket' || !endpoint.optional || existsSync(endpoint.path);
}

/**
 * The endpoints before `index` in the list that belong to other hosts, in order. All usual places of localhost are one host.
 */
export function earlierHosts(endpoints: readonly MysqlEndpoint[], index: number): number[] {
  const isUsual = (endpoint: MysqlEndpoint): boolean => endpoint.kind === 'socket' && endpoint.optional;
  const earlier = endpoints.slice(0, index).map((_, i) => i);
  return earlier.filter((i) => !endpoints.slice(i, index + 1).every(isUsual));
}

/**
 * Reads `host` (comma-separated `host[:port]`, default localhost), `port` (default 3306) and `socket`: the endpoints to try, in
 * order. `localhost` means the server's Unix socket and never TCP, unless it has a port of its own or `port` is set; then it is
 * TCP. `exists` is for a warning if there is no such socket, which the author of a file that relied on TCP would never notice.
 */
export function parseHosts(section: SectionReader, exists: (path: string) => boolean = existsSync): readonly MysqlEndpoint[] {
  const port = section.integer('port', { default: DEFAULT_PORT, min: 1, max: 65_535 });
  const socket = parseSocket(section);
  const listed = section.list('host');
  const hosts = (listed.length > 0 ? listed : [LOCALHOST]).map((host) => (/^localhost\.?$/i.test(host) ? LOCALHOST : host));
  const isLocal = (host: string): boolean => host === LOCALHOST && (socket !== undefined || !section.has('port'));
  if (socket !== undefined && !hosts.some(isLocal))
    section.warning('socket', 'has no effect: it applies to host = localhost, which is not among the hosts');
  if (socket === undefined && hosts.some(isLocal) && !KNOWN_SOCKETS.some((path) => exists(path)))
    section.warning('host', NO_SOCKET);
  if (socket !== undefined && hosts.some(isLocal) && !exists(socket)) section.warning('socket', noSocketAt(socket));
  return hosts.flatMap((host) => (isLocal(host) ? localEndpoints(socket) : (parseHost(section, host, port) ?? [])));
}

const DEFAULT_PORT = 3306;

/**
 * Where distributions put the server's socket: Debian, RHEL. Not /tmp/mysql.sock, the default of MySQL's own builds: anybody
 * may create a socket there.
 */
const KNOWN_SOCKETS = ['/var/run/mysqld/mysqld.sock', '/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock'];

/** The message for localhost while there is no socket. */
export const NO_SOCKET: string =
  `localhost means the server's Unix socket, but there is none in the usual places, ${KNOWN_SOCKETS.join(', ')} (start the ` +
  'server, set socket to its path, or set host = 127.0.0.1 for TCP)';

/** The message for a path in `socket` at which there is no socket. */
export function noSocketAt(path: string): string {
  return `there is no socket ${path} (start the server, set another path in socket, or set host = 127.0.0.1 for TCP)`;
}

function localEndpoints(socket: string | undefined): MysqlEndpoint[] {
  if (socket !== undefined) return [{ kind: 'socket', path: socket, optional: false }];
  return KNOWN_SOCKETS.map((path) => ({ kind: 'socket', path, optional: true }) as const);
}

function parseSocket(section: SectionReader): string | undefined {
  const path = section.text('socket');
  if (path === undefined || (path.startsWith('/') && Buffer.byteLength(path) <= MAX_SOCKET_PATH)) return path;
  section.problem('socket', `invalid value "${path}", expected an absolute path of at most ${MAX_SOCKET_PATH} bytes`);
  return undefined;
}

/** The size of sun_path in unix(7), without its closing NUL. */
const MAX_SOCKET_PATH = 107;

function parseHost(section: SectionReader, text: string, defaultPort: number): MysqlEndpoint | undefined {
  if (isIPv6(text)) return { kind: 'tcp', host: text, port: defaultPort };
  const [, bracketed, plain, ownPort] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = ownPort === undefined ? defaultPort : Number(ownPort);
  const nameFits = bracketed === undefined ? HOST_NAME.test(host) : isIPv6(host);
  if (nameFits && port >= 1 && port <= 65_535) return { kind: 'tcp', host, port };
  section.problem('host', `invalid value "${text}", expected host, host:port or [IPv6]:port, several separated by commas`);
  return undefined;
}

const HOST_NAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.-]{0,252}$/u;
