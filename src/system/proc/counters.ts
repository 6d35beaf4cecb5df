// Parses the counters of files in /proc: I/O, memory and CPU sets.
/** What a process has read and written since its start (proc_pid_io(5)). */
export interface ProcessIo {
  /** Through read(2) and similar calls, from any source: pipes, sockets, the page cache. */
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly readCalls: number;
  readonly writeCalls: number;
  /** Read from storage for it. */
  readonly diskReadBytes: number;
  /** Written to storage for it; and how much of that was cancelled, because the file was removed or truncated first. */
  readonly diskWrittenBytes: number;
  readonly diskCancelledBytes: number;
}

/** Parses /proc/PID/io; undefined if a line is missing. */
export function parseIo(text: string): ProcessIo | undefined {
  const [readBytes, writtenBytes] = [numberAfter(text, 'rchar:'), numberAfter(text, 'wchar:')];
  const [readCalls, writeCalls] = [numberAfter(text, 'syscr:'), numberAfter(text, 'syscw:')];
  const [diskReadBytes, diskWrittenBytes] = [numberAfter(text, 'read_bytes:'), numberAfter(text, 'write_bytes:')];
  const diskCancelledBytes = numberAfter(text, 'cancelled_write_bytes:');
  if (readBytes === undefined || writtenBytes === undefined || readCalls === undefined || writeCalls === undefined) return;
  if (diskReadBytes === undefined || diskWrittenBytes === undefined || diskCancelledBytes === undefined) return;
  return { readBytes, writtenBytes, readCalls, writeCalls, diskReadBytes, diskWrittenBytes, diskCancelledBytes };
}

/**
 * What a process's memory consists of: the kernel's own sums, or, before Linux 4.14, only the size of the mapped address space.
 */
export type MemoryMaps =
  | {
      readonly source: 'smaps_rollup';
      readonly rssBytes: number;
      /** Each shared page counts by its share: over all processes this adds up to the memory in use. */
      readonly pssBytes: number;
      /** What would be freed if it ended: pages that no other process has. */
      readonly ussBytes: number;
      readonly sharedBytes: number;
      readonly anonymousBytes: number;
      readonly swapBytes: number;
      readonly lockedBytes: number;
    }
  | {
      readonly source: 'maps';
      readonly mappings: number;
      readonly sizeBytes: number;
      /** The part of `sizeBytes` that maps files. */
      readonly fileBytes: number;
    };

/**
 * Parses /proc/PID/smaps_rollup (proc_pid_smaps_rollup(5)); undefined if the text is something else, as for a process that has
 * ended.
 */
export function parseSmapsRollup(text: string): MemoryMaps | undefined {
  const bytes = (key: string): number => (numberAfter(text, key) ?? 0) * 1024;
  if (numberAfter(text, 'Rss:') === undefined) return undefined;
  return {
    source: 'smaps_rollup',
    rssBytes: bytes('Rss:'),
    pssBytes: bytes('Pss:'),
    ussBytes: bytes('Private_Clean:') + bytes('Private_Dirty:'),
    sharedBytes: bytes('Shared_Clean:') + bytes('Shared_Dirty:'),
    anonymousBytes: bytes('Anonymous:'),
    swapBytes: bytes('Swap:'),
    lockedBytes: bytes('Locked:'),
  };
}

/** Parses /proc/PID/maps (proc_pid_maps(5)); undefined if nothing is mapped. */
export function parseMaps(text: string): MemoryMaps | undefined {
  let [mappings, sizeBytes, fileBytes] = [0, 0, 0];
  for (const line of text.split('\n')) {
    const [, start, end, inode] = /^([\da-f]{1,16})-([\da-f]{1,16}) \S{4} [\da-f]+ \S+ (\d+)/.exec(line) ?? [];
    if (start === undefined || end === undefined) continue;
    const size = Number(BigInt(`0x${end}`) - BigInt(`0x${start}`));
    mappings += 1;
    sizeBytes += size;
    if (inode !== '0') fileBytes += size;
  }
  return mappings === 0 ? undefined : { source: 'maps', mappings, sizeBytes, fileBytes };
}

/**
 * Parses `0-2,8` to [0, 1, 2, 8]: the kernel's format for a set of CPUs (cpuset(7)). Undefined if the text is something else.
 */
export function parseCpuList(text: string): number[] | undefined {
  const cpus: number[] = [];
  for (const range of text.trim().split(',')) {
    const [, first, last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range) ?? [];
    if (first === undefined) return undefined;
    for (let cpu = Number(first); cpu <= Number(last); cpu += 1) cpus.push(cpu);
  }
  return cpus;
}

/** The number after `key`, which is at the start of a line; undefined if there is none. */
export function numberAfter(text: string, key: string): number | undefined {
  return numbersAfter(text, key, 1)[0];
}

/** The integers after `key`, which is at the start of a line, at most `most` of them; [] if there is no such line. */
export function numbersAfter(text: string, key: string, most = Number.POSITIVE_INFINITY): number[] {
  const numbers: number[] = [];
  const start = valueStart(text, key);
  // A loop over characters: extracting and splitting the line takes four times as long.
  for (let at = start, number = -1; start >= 0 && numbers.length < most; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit >= 0 && digit <= 9) number = Math.max(number, 0) * 10 + digit;
    else {
      if (number >= 0) numbers.push(number);
      number = -1;
      if (at >= text.length || digit === LINE_FEED - ZERO) break;
    }
  }
  return numbers;
}

/** The rest of the line after `key`, which is at its start; undefined if there is no such line. */
export function valueAfter(text: string, key: string): string | undefined {
  const start = valueStart(text, key);
  if (start < 0) return undefined;
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? undefined : end);
}

function valueStart(text: string, key: string): number {
  let at = text.indexOf(key);
  while (at > 0 && text.charCodeAt(at - 1) !== LINE_FEED) at = text.indexOf(key, at + 1);
  return at < 0 ? -1 : at + key.length;
}

const ZERO = 48;
const LINE_FEED = 10;
