// The measures of a host that are about its processes.
import { counted } from '../../../../core/text/counted.ts';
import { nameWords, quoted } from '../../../../core/text/printable.ts';
import { linkedFile } from '../../../../system/files/host-path.ts';
import { calledName } from '../../../../system/proc/called-names.ts';
import type { ProcessTable } from '../../../../system/proc/table.ts';
import type { Finding } from '../../check.ts';
import type { HostOptions } from './options.ts';
import type { Sample, SampledProcess } from './sample.ts';

/** `cpu_percent`: no process has used more since the sample before. */
export function judgeCpu(table: ProcessTable, sample: Sample, limit: number, except: readonly string[]): Promise<Finding> {
  return judgeUse(table, sample, ({ pid }) => sample.cpuPercent.get(pid), 'of a core', limit, except);
}

/** `memory_percent`: no process has more of the machine's memory. */
export function judgeMemory(table: ProcessTable, sample: Sample, limit: number, except: readonly string[]): Promise<Finding> {
  return judgeUse(table, sample, ({ memoryPercent }) => memoryPercent, 'of the memory', limit, except);
}

/** `zombies`: no more of them are older than a minute, as far as this daemon has seen them for so long. */
export function judgeZombies(table: ProcessTable, { zombies, processes, takenMs, isFirst }: Sample, most: number): Finding {
  // One that has not lived for so long is not that old either.
  const all = [...zombies].filter(([process]) => table.ageMs(process) >= OLD_MS);
  const old = all.filter(([, sinceMs]) => takenMs - sinceMs >= OLD_MS).map(([process]) => process);
  if (old.length > most) {
    const words = old.slice(0, MOST_NAMED).map(({ pid, ppid, name }) => {
      const parent = processes.get(ppid)?.name;
      return `pid ${pid} ${nameWords(name)} (parent ${ppid}${parent === undefined ? '' : ` ${nameWords(parent)}`} does not reap it)`;
    });
    const expected = `expected at most ${most} older than a minute`;
    return failing(`${counted(old.length, 'zombie', 'zombies')} (${expected})`, words, old.length);
  }
  if (all.length <= most || !isFirst) return { kind: 'ok' };
  return { kind: 'unknown', reason: `${counted(all.length, 'zombie', 'zombies')}, for how long is not known yet` };
}

/** `root_programs`: nothing else runs as root. Programs of this daemon's own process and kernel threads do not count. */
export function judgeRootPrograms({ processes }: Sample, allowed: HostOptions['rootPrograms']): Finding {
  const files = new Set([...allowed, ...allowed.map(linkedFile)]);
  const others = new Map<string, SampledProcess[]>();
  let unread = 0;
  for (const one of processes.values()) {
    if (one.kernelThread || one.uids?.effective !== 0 || one.state === 'Z' || one.pid === process.pid) continue;
    if (one.executable === undefined) unread++;
    else if (!files.has(one.executable)) others.set(one.executable, [...(others.get(one.executable) ?? []), one]);
  }
  if (others.size > 0) {
    const words = [...others]
      .slice(0, MOST_NAMED)
      .map(([file, [first]]) => `${quoted(file.slice(0, LONGEST_COMMAND))} (pid ${first?.pid})`);
    return failing(`${counted(others.size, 'other program runs', 'other programs run')} as root`, words, others.size);
  }
  return unread === 0
    ? { kind: 'ok' }
    : { kind: 'unknown', reason: `the program of ${counted(unread, 'process', 'processes')} of root cannot be read` };
}

async function judgeUse(
  table: ProcessTable,
  { processes }: Sample,
  useOf: (process: SampledProcess) => number | undefined,
  what: string,
  limit: number,
  except: readonly string[],
): Promise<Finding> {
  const excepted = new Set(except.map(calledName));
  const high = [...processes.values()]
    .map((process) => ({ process, percent: useOf(process) ?? 0 }))
    .filter(({ percent }) => percent > limit)
    .sort((a, b) => b.percent - a.percent);
  if (high.length === 0) return { kind: 'ok' };
  const pids = high.slice(0, MOST_READ).map(({ process }) => process.pid);
  // Not read at once: a process can keep others from reading its arguments for seconds.
  const read = await table.survey(['startTime', 'argv', 'executable', 'userName', 'uids'], { pids });
  const details = new Map(read.map((one) => [one.pid, one]));
  const above = high.filter(({ process }) => {
    const { startTime, executable = '' } = details.get(process.pid) ?? {};
    // A name is its own choice, a file's less so; other words of its command line are anything.
    return startTime === process.startTime && ![process.name, executable].some((name) => excepted.has(calledName(name)));
  });
  if (above.length === 0) return { kind: 'ok' };
  const words = above.slice(0, MOST_NAMED).map(({ process, percent }) => {
    const { argv = [], userName, uids } = details.get(process.pid) ?? {};
    const command = argv.length === 0 ? `[${process.name}]` : argv.join(' ');
    const user = userName ?? uids?.effective ?? 'unknown';
    return `pid ${process.pid} ${percent.toFixed(0)} % (parent ${process.ppid}, user ${user}): ${quoted(command.slice(0, LONGEST_COMMAND))}`;
  });
  return failing(`${counted(above.length, 'process uses', 'processes use')} more than ${limit} % ${what}`, words, above.length);
}

/** `words`: of the worst of `count`. */
export function failing(what: string, words: readonly string[], count: number): Finding {
  const rest = count > words.length ? `; and ${count - words.length} more` : '';
  return { kind: 'failing', reason: `${what}: ${words.join('; ')}${rest}` };
}

const OLD_MS = 60_000;
/** How many are named, the worst first. */
export const MOST_NAMED = 5;
const LONGEST_COMMAND = 60;
/** Of the worst, so many are looked at more closely. */
const MOST_READ = 100;
