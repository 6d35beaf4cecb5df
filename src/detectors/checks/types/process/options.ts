// The keys of a check of the type `process`.
import { isIP, SocketAddress } from 'node:net';
import { DECIMAL } from '../../../../config/section-reader.ts';
import type { SectionReader } from '../../../../core/config.ts';
import { parseBytes } from '../../../../core/text/bytes.ts';
import { hostPortName, parseHostPort, plainAddress } from '../../../../core/text/host-port.ts';
import { parseSought, SOUGHT_KEYS, type SoughtProgram } from '../../../../strategies/process/sought.ts';
import type { CheckIdentity } from '../../check.ts';

/** The options of a check of processes. A limit that is undefined is not checked. */
export interface ProcessCheckOptions extends ProcessLimits {
  readonly program: SoughtProgram;
}

/** What the processes of a program have to be like. All but `min` and `max` say nothing while none runs. */
export interface ProcessLimits {
  /** `min`, default 1, and `max`: how many process trees run. With `max = 0`, which means that none may run, `min` is 0. */
  readonly min: number;
  readonly max: number | undefined;
  /** `listens`: where one of the processes or of their descendants must listen (TCP). */
  readonly listens: readonly ListenAddress[];
  /** `cpu_percent` of one core, of all together since the look before: at most that much. */
  readonly cpuPercent: number | undefined;
  /** `memory`: the sum of the resident sets in bytes, at most. Memory that processes share counts for each of them. */
  readonly memory: number | undefined;
  /** `descriptors`: open ones of each single process, at most. */
  readonly descriptors: number | undefined;
  /** `threads` of all together, at most. */
  readonly threads: number | undefined;
  /** `age`: how long the oldest process must have run. It fails after each start of the program, until that time has passed. */
  readonly ageMs: number | undefined;
}

/** A TCP port, on a certain address or, if `host` is undefined, on any. */
export interface ListenAddress {
  /** IPv6 in its canonical form, without zone. */
  readonly host: string | undefined;
  readonly port: number;
}

/** For people: `443`, `127.0.0.1:8080`. */
export function listenName({ host, port }: ListenAddress): string {
  return host === undefined ? String(port) : hostPortName({ host, port });
}

/** The keys of this type. */
export const PROCESS_CHECK_KEYS = [
  ...SOUGHT_KEYS,
  'min',
  'max',
  'listens',
  'cpu_percent',
  'memory',
  'descriptors',
  'threads',
  'age',
] as const;

/** Reads the keys; reports problems to the reader. Undefined if no such program can be looked for. */
export function parseProcessCheck(
  section: SectionReader,
  check: CheckIdentity,
  ofProcess?: SectionReader,
): ProcessCheckOptions | undefined {
  const processName = check.processName ?? check.name;
  // What says nothing else means the program of its process.
  const isOwn = ofProcess === undefined || SOUGHT_KEYS.some((key) => section.text(key) !== undefined);
  const program = isOwn ? parseSought(section, processName, false) : parseSought(ofProcess, processName, true);
  if (isOwn && program?.anyUser && program.user !== undefined)
    section.warning('user', 'has no effect: with any_user = true the processes of all users are the program');
  const max = parseCount(section, 'max', 0);
  const min = section.integer('min', { default: Math.min(max ?? 1, 1) });
  if (max !== undefined && min > max) section.problem('max', `invalid value "${max}", expected at least min (${min})`);
  // Each restart would make it fail again.
  if (
    section.text('age') !== undefined &&
    check.processName !== undefined &&
    section.text('severity')?.toLowerCase() !== 'warning'
  )
    section.problem(
      'age',
      'cannot raise an alarm: a restart makes the process young again (set severity = warning, or no process)',
    );
  const limits: ProcessLimits = {
    min,
    max,
    listens: parseListens(section),
    cpuPercent: parseCpuPercent(section),
    memory: parseMemory(section),
    descriptors: parseCount(section, 'descriptors', 1),
    threads: parseCount(section, 'threads', 1),
    ageMs: section.text('age') === undefined ? undefined : section.secondsAsMs('age', { default: 0 }),
  };
  return program && { program, ...limits };
}

function parseCount(section: SectionReader, key: string, min: number): number | undefined {
  // An invalid `max` is not below any `min`: that would be a second problem of the same value.
  return section.text(key) === undefined ? undefined : section.integer(key, { default: Number.MAX_SAFE_INTEGER, min });
}

function parseListens(section: SectionReader): ListenAddress[] {
  const addresses = new Map<string, ListenAddress>();
  for (const text of section.list('listens')) {
    const parsed = parseHostPort(text);
    const { host, port } = parsed ?? {};
    if (port === undefined || (host !== undefined && isIP(host) === 0)) {
      section.problem('listens', `invalid value "${text}", expected PORT, IPv4:PORT or [IPv6]:PORT`);
      continue;
    }
    const address = { host: host === undefined ? undefined : canonical(host), port };
    addresses.set(listenName(address), address);
  }
  return [...addresses.values()];
}

/** As /proc/net/tcp is read: the same address has many forms. */
function canonical(host: string): string {
  const address = plainAddress(host);
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  return plainAddress(new SocketAddress({ address, family }).address);
}

function parseCpuPercent(section: SectionReader): number | undefined {
  const text = section.text('cpu_percent');
  if (text === undefined || DECIMAL.test(text)) return text === undefined ? undefined : Number(text);
  section.problem('cpu_percent', `invalid value "${text}", expected percent of one core, such as 80 or 150`);
  return undefined;
}

function parseMemory(section: SectionReader): number | undefined {
  const text = section.text('memory');
  const bytes = text === undefined ? undefined : parseBytes(text);
  if (text !== undefined && !bytes)
    section.problem('memory', `invalid value "${text}", expected bytes, such as 500000, 64K, 512M or 1.5G`);
  return bytes;
}
