// Parses the files of /proc/PID: stat, status, cmdline, environ and auxv.
import { numbersAfter } from './counters.ts';

/** The content of /proc/PID/stat (proc_pid_stat(5)). */
export interface ProcessStat {
  /**
   * `comm`: the program's name, truncated to 15 bytes, or the name that the process chose itself; any bytes but NUL, including
   * blanks and brackets.
   */
  readonly name: string;
  /** R running, S sleeping, D uninterruptible, T stopped, t traced, Z zombie, X dead, I idle kernel thread. */
  readonly state: string;
  /** 0 for the first process of a pid namespace and for kernel threads' parent. */
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** PF_KTHREAD is set: there is no program, and nothing to signal. */
  readonly kernelThread: boolean;
  /** Live threads; a zombie with more than one still runs: only its first thread has ended. */
  readonly threads: number;
  /** When it started, in clock ticks (10 ms) since boot: together with the pid it identifies a process. */
  readonly startTime: number;
  /** From -20, the most favoured, to 19. */
  readonly nice: number;
  /** CPU time of all its threads, including those that have ended, to 10 ms: in its own code, and in the kernel for it. */
  readonly userCpuMs: number;
  readonly systemCpuMs: number;
  /** Address space, used or not; 0 for zombies and kernel threads. */
  readonly vmsBytes: number;
  /** Device number of its controlling terminal, as the kernel encodes it; 0 if it has none. */
  readonly terminalDevice: number;
}

/**
 * Parses that line; undefined if `text` is something else. The name may contain `)`, blanks and line breaks: it ends at the
 * last bracket.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  // Fields after 23 are not needed.
  const fields = text.slice(close + 2).split(' ', 23 - 2);
  const number = (field: number): number => Number(fields[field - 3]);
  const startTime = number(22);
  if (!Number.isInteger(startTime)) return undefined;
  return {
    name: text.slice(open + 1, close),
    state: fields[0] ?? '',
    ppid: number(4),
    pgid: number(5),
    sid: number(6),
    kernelThread: (number(9) & PF_KTHREAD) !== 0,
    threads: number(20),
    startTime,
    nice: number(19),
    userCpuMs: number(14) * MS_PER_TICK,
    systemCpuMs: number(15) * MS_PER_TICK,
    vmsBytes: number(23),
    terminalDevice: number(7),
  };
}

/** Milliseconds in a clock tick: Linux reports times in USER_HZ, which is 100 on every architecture that Node runs on. */
export const MS_PER_TICK = 10;

/**
 * Parses field 52 of the line, the wait status of a zombie; undefined if the text is something else or the process is not a
 * zombie. It is also 0 if access is denied.
 */
export function parseExitCode(text: string): number | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .trimEnd()
    .split(' ');
  const status = Number(fields[52 - 3]);
  return fields[0] === 'Z' && Number.isInteger(status) ? status : undefined;
}

/**
 * Whether a process has ended, even if its parent has not reaped it yet. A zombie that has threads still runs: only its first
 * thread has ended.
 */
export function hasEnded({ state, threads }: Pick<ProcessStat, 'state' | 'threads'>): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1);
}

const PF_KTHREAD = 0x0020_0000;

/** What /proc/PID/status says about the owner of a process and its namespace (proc_pid_status(5)). */
export interface ProcessStatus {
  readonly uids: Ids;
  readonly gids: Ids;
  readonly groups: readonly number[];
  /** How many pid namespaces below that of this /proc it lives in: 0 in the same one, more in a container's. */
  readonly namespaceDepth: number;
}

/** The four user or group ids of a process (credentials(7)). */
export interface Ids {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
  readonly filesystem: number;
}

/**
 * Parses the line `key` of PID/status; undefined if it is missing. The kernel escapes line breaks in the name, so each line is
 * complete.
 */
export function parseIds(text: string, key: 'Uid:' | 'Gid:'): Ids | undefined {
  const [real, effective, saved, filesystem] = numbersAfter(text, key);
  if (real === undefined || effective === undefined || saved === undefined || filesystem === undefined) return undefined;
  return { real, effective, saved, filesystem };
}

/** Parses ProcessStatus.groups from PID/status. */
export function parseGroups(text: string): number[] {
  return numbersAfter(text, 'Groups:');
}

/** Parses ProcessStatus.namespaceDepth from PID/status. */
export function parseNamespaceDepth(text: string): number {
  // Kernels before 4.1 have no NSpid.
  return Math.max(0, numbersAfter(text, 'NSpid:').length - 1);
}

/**
 * Splits the strings of /proc/PID/cmdline or environ, each ended by a NUL; at most the first `most` (default: all). Empty
 * strings are kept, and the last NUL may be missing.
 */
export function splitNul(text: string, most = 2 ** 32 - 1): string[] {
  if (text === '') return [];
  return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0', most);
}

/** What the kernel passed to a program when it was executed (getauxval(3)). */
interface AuxiliaryVector {
  /** The real user at that time. */
  readonly uid: number;
  /** The program had more rights than the user who executed it: set-user-id, set-group-id or file capabilities. */
  readonly secure: boolean;
}

/** Parses /proc/PID/auxv of a 64-bit or 32-bit program; undefined if it is neither. */
export function parseAuxv(bytes: Buffer): AuxiliaryVector | undefined {
  for (const width of [8, 4] as const) {
    const words = width === 8 ? new BigUint64Array(aligned(bytes, 8)) : new Uint32Array(aligned(bytes, 4));
    const entries = new Map<number, number>();
    for (let i = 0; i + 1 < words.length; i += 2) entries.set(Number(words[i]), Number(words[i + 1]));
    const [uid, secure] = [entries.get(AT_UID), entries.get(AT_SECURE)];
    // With the wrong width the page size is not where it should be.
    if ((entries.get(AT_PAGESZ) ?? 0) < 4096 || uid === undefined || secure === undefined) continue;
    return { uid, secure: secure !== 0 };
  }
  return undefined;
}

/**
 * Where the kernel placed the data that a program is executed with: at the lowest address the number of its arguments, then
 * pointers, then auxv.
 */
interface InitialStack {
  /** How many words of 8 bytes fit before auxv; the last may be unused, because the stack begins at a multiple of 16. */
  readonly words: number;
}

/**
 * Computes it from the line of /proc/PID/stat and the bytes of auxv; undefined for a 32-bit program, and if we may not know it.
 */
export function initialStackOf(stat: string, auxv: Buffer): InitialStack | undefined {
  // Field 28, startstack; 0 or 1 for a reader without the right to inspect the process.
  const [, start = '0'] = /^(?:\S+ ){25}(\d{1,20}) /.exec(stat.slice(stat.lastIndexOf(')') + 2)) ?? [];
  const words = new BigUint64Array(aligned(auxv, 8));
  const place = words.findIndex((word, index) => index % 2 === 0 && word === BigInt(AT_RANDOM));
  const random = place < 0 ? undefined : words[place + 1];
  if (random === undefined || BigInt(start) < 4096n || parseAuxv(auxv) === undefined) return undefined;
  // The random bytes directly follow auxv.
  const room = random - BigInt(auxv.length) - BigInt(start);
  return room < 0n || room > MAX_ROOM ? undefined : { words: Number(room / 8n) };
}

const AT_RANDOM = 25;
const MAX_ROOM = 64n * 1024n * 1024n;

const AT_PAGESZ = 6;
const AT_UID = 11;
const AT_SECURE = 23;

function aligned(bytes: Buffer, width: number): ArrayBuffer {
  const length = bytes.length - (bytes.length % (2 * width));
  return new Uint8Array(bytes.subarray(0, length)).buffer;
}
