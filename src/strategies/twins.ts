// Finds configured names that mean one program (twins), and units that execute the program of a name.
import { realpathSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { withDeadline } from '../core/deadline.ts';
import { lastPart } from '../core/process/comm.ts';
import { isInterpreter } from '../core/program/interpreters.ts';
import type { LaunchRecords } from '../core/program/launch-record.ts';
import { hostPath } from '../system/files/host-path.ts';
import { executedFiles } from '../system/launch/executed-files.ts';
import type { ServiceManager } from '../system/systemd/service-manager.ts';
import { findProgram } from './command/find-program.ts';
import { judgeUnitName, serviceName } from './unit/name-policy.ts';

/** What distinguishes a section's program from another one of the same name. */
interface TwinMarks {
  readonly argument: string | undefined;
  readonly pidFile: string | undefined;
  readonly user: string | undefined;
}

/** A section, as configured. */
export interface NamedSection extends TwinMarks {
  readonly systemName: string;
  /** Its strategy may restart a program; a unit. Both false if a command of the operator's does the work. */
  readonly mayBeProgram: boolean;
  readonly mayBeUnit: boolean;
}

/** A unit that executes the program of a name. */
export interface TwinUnit {
  /** `nginx.service`. */
  readonly unit: string;
  /** Resolution.key. */
  readonly key: string;
  /** The unit's section comes after that of the name, which takes precedence. */
  readonly isRuled: boolean;
}

/** What is needed to see which file a name leads to. */
interface TwinParts {
  readonly launches: Pick<LaunchRecords, 'get'>;
  readonly services: Pick<ServiceManager, 'available' | 'program' | 'show'>;
  readonly clock: Clock;
  /** $PATH. */
  readonly path: string;
}

/** Which configured names mean one program, as far as that can be determined while nothing of it runs. */
export class Twins {
  readonly #sections: readonly NamedSection[];
  readonly #parts: TwinParts;
  readonly #byEnd: ReadonlyMap<string, readonly NamedSection[]>;
  readonly #byMark: readonly NamedSection[];
  readonly #haveUnits: boolean;
  #asked: { readonly units: Promise<UnitsByFile>; readonly atMs: number } | undefined;

  constructor(sections: readonly NamedSection[], parts: TwinParts) {
    this.#sections = sections;
    this.#parts = parts;
    const programs = sections.filter(({ mayBeProgram }) => mayBeProgram);
    this.#byEnd = Map.groupBy(programs, ({ systemName }) => lastPart(systemName));
    this.#haveUnits = parts.services.available && sections.some(({ mayBeUnit }) => mayBeUnit);
    this.#byMark = programs.filter(({ argument, pidFile }) => argument !== undefined || pidFile !== undefined);
  }

  /**
   * The names of other sections that mean the program of this name: they have the same `argument` or `pid_file`, or the same
   * last part and lead to the same file. [] for a name that no section has and whose last part no section has.
   */
  namesOf(systemName: string, marks: TwinMarks): string[] {
    const isMarked = marks.argument !== undefined || marks.pidFile !== undefined;
    const others = new Set([...(this.#byEnd.get(lastPart(systemName)) ?? []), ...(isMarked ? this.#byMark : [])]);
    return [...others]
      .filter((other) => other.systemName !== systemName && this.#isSame(systemName, marks, other))
      .map((other) => other.systemName);
  }

  /** The pid files of all other programs than that with this pid file. */
  pidFilesBeside(pidFile: string): string[] {
    const others = this.#byMark.flatMap((other) => other.pidFile ?? []).filter((other) => other !== pidFile);
    return [...new Set(others)];
  }

  /**
   * The unit of another section whose ExecStart= is the program's file; undefined if there is none or more than one, if the
   * program is an interpreter, and if systemd does not answer. Never rejects.
   */
  async unitOf(systemName: string, signal: AbortSignal): Promise<TwinUnit | undefined> {
    if (!this.#haveUnits || isInterpreter(systemName)) return undefined;
    // A systemd that does not answer is not a reason to delay a recovery.
    return withDeadline(this.#parts.clock, ASK_MS, signal, (deadline) => this.#unitWithin(systemName, deadline.signal));
  }

  async #unitWithin(systemName: string, within: AbortSignal): Promise<TwinUnit | undefined> {
    const unitsByFile = await this.#unitsByFile(within);
    const file = unitsByFile.size === 0 ? undefined : this.#fileOf(systemName);
    if (file === undefined) return undefined;
    const own = this.#sections.findIndex((section) => section.systemName === systemName);
    const [one, another] = (unitsByFile.get(file) ?? []).filter(({ index }) => index !== own);
    if (one === undefined || another !== undefined) return undefined;
    const shown = await this.#parts.services.show(one.unit, within);
    if (shown.kind === 'failed' || shown.status.loadState !== 'loaded' || shown.status.type === 'oneshot') return undefined;
    const { id } = shown.status;
    return { unit: id, key: serviceName(id), isRuled: own >= 0 && one.index > own };
  }

  #isSame(systemName: string, marks: TwinMarks, other: NamedSection): boolean {
    if (other.user !== marks.user) return false;
    const isFree = other.pidFile === undefined || marks.pidFile === undefined || other.pidFile === marks.pidFile;
    if (other.argument !== marks.argument || !isFree) return false;
    if (marks.argument !== undefined || (marks.pidFile !== undefined && other.pidFile === marks.pidFile)) return true;
    if (lastPart(systemName) !== lastPart(other.systemName)) return false;
    const file = this.#fileOf(systemName);
    return file !== undefined && file === this.#fileOf(other.systemName);
  }

  /** The file that a name leads to, links followed: the recorded program's, else the one in PATH. */
  #fileOf(systemName: string): string | undefined {
    const record = systemName.startsWith('/') ? undefined : this.#parts.launches.get(systemName);
    return realFile(record === undefined ? findProgram(systemName, this.#parts.path) : executedFiles(record).program);
  }

  /** What the units of all sections execute; queried again now and then, because many names are compared with them at once. */
  async #unitsByFile(signal: AbortSignal): Promise<UnitsByFile> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#asked === undefined || nowMs - this.#asked.atMs > FRESH_MS)
      this.#asked = { units: this.#askUnits(signal), atMs: nowMs };
    return this.#asked.units;
  }

  async #askUnits(signal: AbortSignal): Promise<UnitsByFile> {
    const units = new Map<string, SectionUnit[]>();
    const ask = async ({ systemName, mayBeUnit }: NamedSection, index: number): Promise<void> => {
      const judged = judgeUnitName(systemName, true);
      if (!mayBeUnit || judged.kind !== 'unit') return;
      const answer = await this.#parts.services.program(judged.unit, signal);
      // A missing answer is not kept.
      if (answer.kind === 'failed') this.#asked = undefined;
      const file = answer.kind === 'known' && answer.program.path !== '' ? realFile(answer.program.path) : undefined;
      if (file !== undefined) units.set(file, [...(units.get(file) ?? []), { unit: judged.unit, index }]);
    };
    await Promise.all(this.#sections.map(ask));
    return units;
  }
}

/** A section by its index, and the unit that it may mean. */
interface SectionUnit {
  readonly unit: string;
  readonly index: number;
}

type UnitsByFile = ReadonlyMap<string, readonly SectionUnit[]>;

const FRESH_MS = 30_000;
const ASK_MS = 2000;

function realFile(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : realpathSync(hostPath(path));
  } catch {
    return undefined;
  }
}
