// Compares what was seen of processes with what they have to be like.
import { bytesName } from '../../../../core/text/bytes.ts';
import { counted } from '../../../../core/text/counted.ts';
import { configuredSeconds } from '../../../../core/text/duration.ts';
import { quoted } from '../../../../core/text/printable.ts';
import type { ProcessIdentity } from '../../../../system/proc/table.ts';
import type { Reading } from '../../check.ts';
import type { MissingListeners } from './listeners.ts';
import { listenName, type ProcessLimits } from './options.ts';
import type { MostDescriptors, ReadProcess } from './reading.ts';

/** What one look has seen of a program. */
interface SeenProgram {
  /** The topmost processes, the oldest first. */
  readonly found: readonly ProcessIdentity[];
  /** Why there may be processes that were not seen. */
  readonly hidden: string | undefined;
  /** Those of `found` and their descendants that were still there to be read. */
  readonly read: readonly ReadProcess[];
  /** Those of `read` that lived on and whose memory could not be read. */
  readonly unreadMemory: readonly ReadProcess[];
  readonly descriptors: { readonly most: MostDescriptors | undefined; readonly unread: readonly ReadProcess[] } | undefined;
  /** Undefined if nothing is known about it yet. */
  readonly cpuPercent: number | undefined;
  readonly listeners: MissingListeners | undefined;
  /** Of the oldest one of `found`; undefined if that is not known. */
  readonly ageMs: number | undefined;
}

/**
 * Failing if anything is certainly other than it has to be: all of that is named. Else unknown if something could not be read. While
 * nothing runs only `min` and `max` count.
 */
export function judge(limits: ProcessLimits, seen: SeenProgram): Reading {
  const failures: string[] = [];
  const unknowns: string[] = [];
  const judgements = [countOf(limits, seen), ...(seen.read.length === 0 ? [] : measuresOf(limits, seen))];
  for (const { failure, unknown } of judgements) {
    if (failure !== undefined) failures.push(failure);
    else if (unknown !== undefined) unknowns.push(unknown);
  }
  if (failures.length > 0) return { kind: 'failing', reason: failures.join('; ') };
  if (unknowns.length > 0) return { kind: 'unknown', reason: [...new Set(unknowns)].join('; ') };
  return { kind: 'ok' };
}

/** Neither: it is as it has to be. */
interface Judgement {
  readonly failure?: string | undefined;
  /** Why it cannot be said, if there is no failure. */
  readonly unknown?: string | undefined;
}

function countOf({ min, max }: ProcessLimits, { found, hidden }: SeenProgram): Judgement {
  const count = found.length;
  const runs = count === 1 ? '1 process runs' : `${count} processes run`;
  if (count < min) {
    const failure = count === 0 ? 'not running' : runs;
    return hidden === undefined ? { failure: `${failure} (expected at least ${min})` } : { unknown: hidden };
  }
  if (max === undefined || count <= max) return { unknown: max === undefined ? undefined : hidden };
  return { failure: `${runs}: ${pidWords(found)} (expected ${max === 0 ? 'none' : `at most ${max}`})` };
}

function measuresOf(limits: ProcessLimits, seen: SeenProgram): Judgement[] {
  const { read, hidden } = seen;
  const of = `of ${counted(read.length, 'process', 'processes')}`;
  const memory = read.reduce((sum, { rssBytes = 0 }) => sum + rssBytes, 0);
  const threads = read.reduce((sum, process) => sum + process.threads, 0);
  return [
    listening(seen),
    above(limits.cpuPercent, seen.cpuPercent, (found, limit) => `cpu ${found} ${of} (expected at most ${limit})`, {
      words: percentName,
      unknown: hidden,
    }),
    above(limits.memory, memory, (found, limit) => `memory ${found} ${of} (expected at most ${limit})`, {
      words: bytesName,
      unknown: unreadWords('memory', seen.unreadMemory) ?? hidden,
    }),
    descriptorsOf(limits, seen),
    above(limits.threads, threads, (found, limit) => `threads ${found} ${of} (expected at most ${limit})`, {
      words: String,
      unknown: hidden,
    }),
    ageOf(limits, seen),
  ];
}

/** `unknown`: why there may be more than what was found. */
function above(
  limit: number | undefined,
  found: number | undefined,
  failure: (found: string, limit: string) => string,
  { words, unknown }: { readonly words: (value: number, decimals: number) => string; readonly unknown: string | undefined },
): Judgement {
  if (limit === undefined || found === undefined) return {};
  if (found <= limit) return { unknown };
  let decimals = 1;
  // Until the words differ.
  while (decimals < MOST_DECIMALS && words(found, decimals) === words(limit, decimals)) decimals += 1;
  return { failure: failure(words(found, decimals), words(limit, decimals)) };
}

const MOST_DECIMALS = 6;

function percentName(percent: number, decimals: number): string {
  return `${Number(percent.toFixed(decimals))} %`;
}

function listening({ read, listeners, hidden }: SeenProgram): Judgement {
  const { missing, unread } = listeners ?? { missing: [], unread: [] };
  if (missing.length === 0) return {};
  const unknown = unreadWords('sockets', unread, 'cannot all be read') ?? hidden;
  if (unknown !== undefined) return { unknown };
  const shown = missing.slice(0, MOST_SHOWN).map(listenName).join(', ');
  const among = counted(read.length, 'process', 'processes');
  const expected = missing.length === 1 ? 'expected one' : 'expected one on each';
  return { failure: `no listener on ${shown}${andMore(missing.length)} among ${among} (${expected})` };
}

function descriptorsOf({ descriptors: limit }: ProcessLimits, { descriptors, hidden }: SeenProgram): Judgement {
  const { most, unread = [] } = descriptors ?? {};
  const failure = (found: string, expected: string): string =>
    `descriptors ${most?.isLeast === true ? 'at least ' : ''}${found} of ${most && processWords(most.of)} (expected at most ${expected} of one process)`;
  const unknown = unreadWords('descriptors', unread) ?? hidden;
  return above(limit, most?.count ?? 0, failure, { words: String, unknown });
}

function ageOf({ ageMs: limitMs }: ProcessLimits, { found, read, ageMs, hidden }: SeenProgram): Judgement {
  const [oldest] = found;
  if (limitMs === undefined || oldest === undefined) return {};
  if (ageMs === undefined) return { unknown: 'the age of its processes cannot be determined: /proc/uptime' };
  if (ageMs >= limitMs) return {};
  if (hidden !== undefined) return { unknown: hidden };
  const of = read.find(({ pid }) => pid === oldest.pid);
  // Never as long as the limit by rounding.
  const age = configuredSeconds(Math.floor(ageMs / 100) * 100);
  return { failure: `age ${age} of ${processWords(of ?? oldest)} (expected at least ${configuredSeconds(limitMs)})` };
}

function processWords({ pid, name }: { readonly pid: number; readonly name?: string }): string {
  return name === undefined ? `pid ${pid}` : `${quoted(name)} (pid ${pid})`;
}

function pidWords(processes: readonly ProcessIdentity[]): string {
  const shown = processes.slice(0, MOST_SHOWN).map(({ pid }) => pid);
  return `pid ${shown.join(', ')}${andMore(processes.length)}`;
}

function andMore(count: number): string {
  return count > MOST_SHOWN ? ` and ${count - MOST_SHOWN} more` : '';
}

function unreadWords(
  what: string,
  [first, ...more]: readonly (ProcessIdentity & { readonly name: string })[],
  why = 'cannot be read',
): string | undefined {
  if (first === undefined) return undefined;
  const others = more.length === 0 ? '' : ` and of ${counted(more.length, 'other process', 'other processes')}`;
  return `the ${what} of ${processWords(first)}${others} ${why}`;
}

const MOST_SHOWN = 8;
