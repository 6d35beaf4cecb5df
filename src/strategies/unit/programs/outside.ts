// Finds the processes of a service that run outside of it.
import { realpathSync } from 'node:fs';
import process from 'node:process';
import { LoopPause } from '../../../core/loop-pause.ts';
import { lastPart } from '../../../core/process/comm.ts';
import { sameProcess } from '../../../core/program/roots.ts';
import { readShebang } from '../../../system/launch/script-file.ts';
import { scriptRun } from '../../../system/launch/script-run.ts';
import { hasEnded, MS_PER_TICK } from '../../../system/proc/parse.ts';
import type { ProcessIdentity, ProcessInfo, ProcessTable } from '../../../system/proc/table.ts';
import type { UnitProgram } from '../../../system/systemd/service-manager.ts';
import { isAppUnit, isAppUnitOf } from '../../../system/systemd/unit/name.ts';
import { isOwnedBy } from '../../process/identity/owner.ts';
import { hostsOtherPrograms } from './of-main.ts';

/** A service that is down. */
interface DownUnit {
  readonly id: string;
  readonly program: UnitProgram;
  /** The users whose processes can be a copy of it: root and its own user. */
  readonly uids: readonly number[];
}

/** What runs, in any place, of a program that is known by more than its unit. */
export interface KnownProgram {
  readonly processes: readonly ProcessIdentity[];
  /** It is known by more than a name, which a client may share with its server: then it need not execute the unit's file. */
  readonly isMarked: boolean;
  /**
   * The program's name: in our units for it an earlier start in the service's place may run; that is ended before the service
   * starts.
   */
  readonly standIn?: string;
}

/** Nothing is known besides the unit. */
export const unknownProgram: KnownProgram = { processes: [], isMarked: false };

/**
 * The pids, ascending, of what runs of the service's program outside of any service of its own: started by hand, by a cron
 * script, or by us under another name. A unit's program is recognised by its file and arguments, of which such a start may
 * leave out options; what is in `known` by its file alone. What began while the unit was last up belongs to the unit: the
 * sessions of sshd(8) and the jobs of cron(8) outlive those.
 */
export async function runningOutside(table: ProcessTable, unit: DownUnit, known: KnownProgram): Promise<number[]> {
  const { path, argv, beganMs, overMs } = unit.program;
  const file = realPath(path);
  const names = [lastPart(file), lastPart(path)];
  const isScript = readShebang(path).length > 0;
  const depth = table.read(process.pid, ['namespaceDepth'])?.namespaceDepth;
  const found: number[] = [];
  const pause = new LoopPause();
  const isKnownOne = (seen: ProcessIdentity): boolean => known.processes.some(sameProcess(seen));
  // The arguments are read for those few only.
  const mayBe = (await table.survey(OUTER_FIELDS)).filter(
    (seen) =>
      !seen.kernelThread &&
      !hasEnded(seen) &&
      (isKnownOne(seen) || (isScript ? seen.executable !== undefined : seen.executable === file)),
  );
  const pids: number[] = [];
  for (const seen of mayBe) {
    if (pause.isDue) await pause.take();
    if (isKnownOne(seen) || isOwnedBy(table, seen, unit.uids)) pids.push(seen.pid);
  }
  for (const seen of await table.survey(FIELDS, { pids })) {
    if (pause.isDue) await pause.take();
    const isKnown = isKnownOne(seen);
    const startMs = seen.startTime * MS_PER_TICK;
    const isItsOwn = startMs + MS_PER_TICK >= beganMs && startMs < overMs;
    const words = isScript ? wordsOfScript(table, seen, file) : wordsOf(seen, file, names);
    const isLike = isKnown ? words !== undefined : isSameLine(words, argv.slice(1));
    const isIt = (isKnown && known.isMarked) || (isLike && !isItsOwn);
    if (isIt && isOutside(table, seen.pid, { id: unit.id, standIn: known.standIn }, depth)) found.push(seen.pid);
  }
  return found;
}

const OUTER_FIELDS = ['startTime', 'state', 'threads', 'kernelThread', 'executable'] as const;
const FIELDS = ['startTime', 'argv', 'executable'] as const;

type Seen = ProcessInfo<(typeof FIELDS)[number]>;

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** 'lost': the process has written a title over them. */
type Words = readonly string[] | 'lost';

/**
 * The arguments of a process that executes the file; undefined if it does not, or calls itself something else: `sshd:
 * root@pts/0`, `CROND`.
 */
function wordsOf({ executable, argv = [] }: Seen, file: string, names: readonly string[]): Words | undefined {
  if (executable !== file) return undefined;
  const [first = '', ...rest] = argv;
  const isCalled = (word: string): boolean => names.includes(lastPart(word).replace(/^-/, ''));
  if (!/\s/.test(first)) return isCalled(first) ? rest : undefined;
  return /: master process\b/.test(first) || first.split(/\s+/).some(isCalled) ? 'lost' : undefined;
}

function wordsOfScript(table: ProcessTable, seen: Seen, file: string): Words | undefined {
  const { argv = [] } = seen;
  const name = lastPart(file);
  const run = scriptRun(table, seen, (word) => word === name);
  if (run === undefined || realPath(run) !== file) return undefined;
  return argv.slice(argv.findIndex((word) => lastPart(word) === name) + 1);
}

/**
 * True for words that the unit has too, and all of its words except options: `ssh one` is not the tunnel `ssh -N -L 80:two:80
 * one`.
 */
function isSameLine(words: Words | undefined, ofUnit: readonly string[]): boolean {
  if (words === undefined || words === 'lost') return words === 'lost';
  const needed = ofUnit.filter((word) => !word.startsWith('-') && !word.includes('$'));
  return words.every((word) => ofUnit.includes(word)) && needed.every((word) => words.includes(word));
}

/** True if it is not in one of its own units, nor in another service, nor in a container. */
function isOutside(
  table: ProcessTable,
  pid: number,
  { id, standIn }: { readonly id: string; readonly standIn: string | undefined },
  depth: number | undefined,
): boolean {
  const seen = table.read(pid, ['unit', 'namespaceDepth']);
  if (pid === process.pid || seen === undefined || seen.namespaceDepth !== depth) return false;
  const { unit = '' } = seen;
  const isService = unit.endsWith('.service') && !unit.startsWith('user@');
  const isOwn = unit === id || (standIn !== undefined && isAppUnitOf(unit, standIn));
  return !isOwn && (!isService || hostsOtherPrograms(unit) || isAppUnit(unit));
}
