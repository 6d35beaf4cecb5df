import { readdirSync, readFileSync } from 'node:fs';

/** Which process is meant, for ever: a pid alone may be given to another. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot; a text because it is only compared. */
  readonly startTime: string;
}

/** A process as /proc/PID/stat shows it (proc_pid_stat(5)). */
export interface ProcessStat extends ProcessIdentity {
  /** `R`, `S`, `D`, `T`, `Z`, `X` … */
  readonly state: string;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
}

/** The process with this pid, zombies included; undefined where there is none, or we may not look. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in parentheses may itself hold blanks and parentheses: the last one closes it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parentPid, groupId, sessionId] = fields;
  const startTime = fields[START_TIME];
  if (state === undefined || startTime === undefined) return undefined;
  return { pid, state, parentPid: Number(parentPid), groupId: Number(groupId), sessionId: Number(sessionId), startTime };
}

/** Every process that has not ended; [] where /proc cannot be read. */
export function listProcesses(): ProcessStat[] {
  const processes: ProcessStat[] = [];
  for (const pid of listPids()) {
    const stat = readProcessStat(pid);
    if (stat !== undefined && !hasEnded(stat)) processes.push(stat);
  }
  return processes;
}

/** All pids of /proc; [] where it cannot be read. */
export function listPids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** True while that very process runs: not ended, not a zombie, its pid not somebody else's. */
export function isRunning(identity: ProcessIdentity): boolean {
  const stat = readProcessStat(identity.pid);
  return stat !== undefined && stat.startTime === identity.startTime && !hasEnded(stat);
}

/** True where `assignment` (`KEY=value`) stands in the environment the process was started with, as far as we may read it. */
export function hasInEnvironment(pid: number, assignment: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(assignment);
  } catch {
    return false;
  }
}

function hasEnded(stat: ProcessStat): boolean {
  return stat.state === 'Z' || stat.state === 'X';
}

/** Field 22, counted from the state, which is field 3. */
const START_TIME = 19;
