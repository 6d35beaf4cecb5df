import { Breath } from '../../../core/breath.ts';
import { interpreterOf, isInterpreter } from '../../../core/interpreters.ts';
import { hostFile } from '../../../system/files/host-path.ts';
import { scriptRun } from '../../../system/launch/script-run.ts';
import { lastPart } from '../../../system/proc/called-names.ts';
import { LOOK_LIMITS } from '../../../system/proc/files.ts';
import { ancestorsOf } from '../../../system/proc/kin.ts';
import type { ProcessLook, SeenProcess } from '../../../system/proc/look.ts';
import type { Having } from '../../../system/proc/memory-files.ts';
import { hasEnded } from '../../../system/proc/parse.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { pidsOfService } from '../../../system/systemd/unit-cgroup.ts';
import type { Identity, Witness } from './identity.ts';
import { programMatcher } from './name.ts';
import { isOwnedBy, runsRootsFile } from './owner.ts';
import { readPidFile } from './pid-file.ts';
import { isMemberOf } from './rest.ts';

/** What one witness knows. */
export interface Known {
  readonly found: readonly SeenProcess[];
  /** Who would be it, and is another user's. */
  readonly strangers: readonly SeenProcess[];
  /** What was not believed, a line each. */
  readonly remarks: readonly string[];
  /** Of whom it could not be told whether they are it. */
  readonly unread?: readonly SeenProcess[];
}

/** All of them, the surest first: the first one that knows anything alive decides. */
export const witnesses: readonly {
  readonly name: Witness;
  readonly find: (table: ProcessTable, identity: Identity, look: ProcessLook) => Promise<Known>;
}[] = [
  { name: 'start', find: byStart },
  { name: 'pid_file', find: byPidFile },
  { name: 'argument', find: byArgument },
  { name: 'name', find: byName },
];

/**
 * What we started: the very process; else what lives in the unit we gave it, or in the process group or session of the one we started.
 * Of one that has ended only what executes the same file: a helper that it left behind does not prove that it runs.
 */
async function byStart(table: ProcessTable, identity: Identity, { all }: ProcessLook): Promise<Known> {
  const ours = identity.knownRoots.filter((root) => root.ours === true);
  const living = ours.flatMap((root) => {
    const seen = all.get(root.pid);
    return seen !== undefined && seen.startTime === root.startTime && !hasEnded(seen) ? [seen] : [];
  });
  const found = new Set(living);
  const gone = ours.filter(({ pid }) => !living.some((seen) => seen.pid === pid));
  const isSame = (seen: SeenProcess): boolean =>
    gone.length === 0 || gone.some(({ executable }) => executable === undefined || executable === seen.executable);
  for (const unit of identity.units) {
    const inside = pidsOfService(unit).flatMap((pid) => all.get(pid) ?? []);
    // While the one that we started lives all others in its unit are its own.
    const isLed = inside.some((seen) => found.has(seen));
    for (const seen of inside)
      if (!hasEnded(seen) && identity.unitOf(seen.pid) === unit && (isLed || isSame(seen))) found.add(seen);
  }
  if (gone.length > 0) {
    const isOwned = ownerTest(table, identity);
    for (const seen of all.values()) {
      if (hasEnded(seen) || seen.kernelThread) continue;
      if (gone.some((root) => isMemberOf(root, seen, all, isOwned) && root.executable === seen.executable && isOwned(seen)))
        found.add(seen);
    }
  }
  return known([...found]);
}

async function byPidFile(table: ProcessTable, identity: Identity, { all }: ProcessLook): Promise<Known> {
  const { pidFile, owners } = identity;
  if (pidFile === undefined) return known([]);
  const read = readPidFile(table, pidFile, owners.uids, identity.nowMs);
  if (read.kind === 'unusable') return { ...known([]), remarks: [read.reason] };
  const seen = read.kind === 'pid' ? all.get(read.pid) : undefined;
  if (read.kind === 'absent' || seen === undefined || !isPossible(table, identity, all)(seen)) return known([]);
  if (read.uid === 0 || isOwnedBy(table, seen, [read.uid])) return known([seen]);
  return {
    ...known([]),
    remarks: [`pid_file is not used: process ${seen.pid} is not of the user ${read.uid}, whose the file is`],
  };
}

/**
 * Who has exactly this word among its arguments; not who by it shows, edits or copies the file of that name.
 */
async function byArgument(table: ProcessTable, identity: Identity, look: ProcessLook): Promise<Known> {
  const { argument, process } = identity;
  if (argument === undefined) return known([]);
  const isCandidate = isPossible(table, identity, look.all);
  const isNamed = matcherOf(table, identity);
  // A path that cannot be looked at is meant as a file's.
  const isOfFile = argument.startsWith('/') && hostFile(argument) !== 'none';
  const bearers: SeenProcess[] = [];
  const breath = new Breath();
  const { having, unread } = await holdersOf(table, argument, look);
  for (const seen of having) {
    if (breath.isDue) await breath.take();
    if (!isCandidate(seen)) continue;
    if (isOfFile && !isNamed(seen) && looksAtFile(table, seen)) continue;
    bearers.push(seen);
  }
  // What sudo(8) and its like run has the word too, and is what they run it for.
  const above = new Set(bearers.flatMap(({ pid }) => [...ancestorsOf(pid, look.all)].filter((one) => one !== pid)));
  const isLauncher = ({ pid, executable = '' }: SeenProcess): boolean =>
    above.has(pid) && interpreterOf(executable) === 'launcher';
  const meant = bearers.filter((seen) => !isLauncher(seen));
  const owned = await ownedOf(
    table,
    identity,
    meant,
    (seen) => runsRootsFile(table, seen, [process.systemName, argument]),
    breath,
  );
  return { ...owned, unread };
}

async function byName(table: ProcessTable, identity: Identity, look: ProcessLook): Promise<Known> {
  const { process, knownRoots } = identity;
  const { systemName } = process;
  // Whoever gives a system_name beside the argument has several of that name, which the argument tells apart.
  if (identity.argument !== undefined && process.systemNameConfigured) return known([]);
  // Every other script of that interpreter bears the name too.
  if (isInterpreter(systemName) && (identity.argument !== undefined || identity.pidFile !== undefined)) return known([]);
  const isCandidate = isPossible(table, identity, look.all);
  const isNamed = matcherOf(table, identity);
  const isOwned = ownerTest(table, identity);
  const bearers: SeenProcess[] = [];
  const leftOver: SeenProcess[] = [];
  const breath = new Breath();
  for (const seen of look.calledBy(systemName)) {
    if (breath.isDue) await breath.take();
    if (!isNamed(seen) || !isCandidate(seen)) continue;
    // Another user's worker goes with a restart (rest.ts), and does not prove that the program runs.
    const isLeft = knownRoots.some((root) => isMemberOf(root, seen, look.all, isOwned)) && isOwned(seen);
    (isLeft ? leftOver : bearers).push(seen);
  }
  const owned = await ownedOf(
    table,
    identity,
    bearers,
    (seen) => runsRootsFile(table, seen, [systemName]),
    breath,
    leftOver.length > 0,
  );
  return { ...owned, found: [...owned.found, ...leftOver] };
}

/** Those of root's, the daemon's and the program's own users; where there is none of them, and nobody is known, who `runsRoots`. */
async function ownedOf(
  table: ProcessTable,
  { owners }: Identity,
  bearers: readonly SeenProcess[],
  runsRoots: (seen: SeenProcess) => boolean,
  breath: Breath,
  isKnown = false,
): Promise<Known> {
  if (owners.others === 'all') return known(bearers);
  const owned = await filterWithBreath(bearers, (seen) => isOwnedBy(table, seen, owners.uids), breath);
  const isUnknown = owned.length === 0 && !isKnown && owners.others === 'roots_files';
  const found = isUnknown ? await filterWithBreath(bearers, runsRoots, breath) : owned;
  const taken = new Set(found);
  return { found, strangers: bearers.filter((seen) => !taken.has(seen)), remarks: [] };
}

/** Strangers may be thousands, and each is looked at closely. */
async function filterWithBreath<T>(all: readonly T[], keeps: (one: T) => boolean, breath: Breath): Promise<T[]> {
  const kept: T[] = [];
  for (const one of all) {
    if (breath.isDue) await breath.take();
    if (keeps(one)) kept.push(one);
  }
  return kept;
}

/** Whether a process is of root's, the daemon's or the program's own users. */
export function ownerTest(table: ProcessTable, { owners }: Identity): (seen: SeenProcess) => boolean {
  return (seen) => owners.others === 'all' || isOwnedBy(table, seen, owners.uids);
}

function matcherOf(table: ProcessTable, { process: { systemName }, owners }: Identity): (seen: SeenProcess) => boolean {
  const isBelieved = (seen: SeenProcess): boolean =>
    owners.others === 'all' ||
    isOwnedBy(table, seen, owners.uids) ||
    table.executes(seen.pid, systemName) ||
    (owners.others === 'roots_files' && runsRootsFile(table, seen, [systemName]));
  const name = lastPart(systemName);
  return programMatcher(systemName, isBelieved, (seen) => scriptRun(table, seen, (word) => word === name));
}

/** Neither ourselves, nor of the kernel, nor ended, nor in another pid namespace, nor a command that we run for another process. */
function isPossible(
  table: ProcessTable,
  { process, ownPid }: Identity,
  all: ReadonlyMap<number, SeenProcess>,
): (seen: SeenProcess) => boolean {
  const depth = table.read(ownPid, ['namespaceDepth'])?.namespaceDepth ?? 0;
  return (seen) => {
    if (seen.pid === ownPid || seen.kernelThread || hasEnded(seen)) return false;
    if (table.read(seen.pid, ['namespaceDepth'])?.namespaceDepth !== depth) return false;
    // Commands that we run directly are our descendants until they end (a health check `nginx -t` of another process is no nginx);
    // what they leave behind is not. Only for those few the environment is read.
    if (!ancestorsOf(seen.pid, all).has(ownPid)) return true;
    const isOwn = table.hasVariable(seen.pid, 'MONITOR_SYSTEM_NAME', process.systemName);
    return isOwn || !table.hasVariable(seen.pid, 'MONITOR_ATTEMPT');
  };
}

/** The processes that have this word among their arguments. */
async function holdersOf(table: ProcessTable, argument: string, { all }: ProcessLook): Promise<Having<SeenProcess>> {
  const holders: SeenProcess[] = [];
  // What was seen of their arguments may be the beginning only.
  const cut: SeenProcess[] = [];
  for (const seen of all.values()) {
    const { argv = [] } = seen;
    const length = argv.reduce((sum, word) => sum + word.length, 0);
    if (argv.includes(argument)) holders.push(seen);
    else if (length >= LOOK_LIMITS.commandLine / 4 || argv.length >= LOOK_LIMITS.commandLine / 8) cut.push(seen);
  }
  const { having, unread } = await table.memory.withArgument(cut, argument);
  return { having: [...holders, ...having].sort((a, b) => a.pid - b.pid), unread };
}

/** At a terminal, or by a tool for files: only what is neither runs or serves it. */
function looksAtFile(table: ProcessTable, { pid, argv = [], executable = '' }: SeenProcess): boolean {
  const names = [executable, argv[0] ?? ''].map((name) => lastPart(name).replace(/\.(?:basic|tiny|nox|gtk3?)$/, ''));
  if (names.some((name) => TOOLS.has(name))) return true;
  return !isInterpreter(executable) && table.read(pid, ['terminalDevice'])?.terminalDevice !== 0;
}

const TOOLS: ReadonlySet<string> = new Set(
  (
    'tail head less more most cat tac nl vi vim ex nvim view nano pico emacs ed joe mcedit mcview grep egrep fgrep rg ag sed awk gawk mawk ' +
    'diff cmp cp mv ln rsync scp sftp sftp-server tar gzip bzip2 xz zip unzip cpio dd wc file stat touch chmod chown ls du find lsof fuser ' +
    'inotifywait md5sum sha1sum sha256sum sha512sum git svn multitail lnav watch strace ltrace gdb'
  ).split(' '),
);

function known(found: readonly SeenProcess[]): Known {
  return { found, strangers: [], remarks: [] };
}
