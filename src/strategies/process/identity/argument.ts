import { lastPart } from '../../../core/process/comm.ts';
import { givenPart, interpreterOf } from '../../../core/program/interpreters.ts';
import type { Interpreter } from '../../../core/program/known-interpreters.ts';
import { hostFile } from '../../../system/files/host-path.ts';
import { judgeWhole, type ProcessLook, type SeenProcess } from '../../../system/proc/look.ts';
import type { Having } from '../../../system/proc/memory-files.ts';
import { ancestorsOf } from '../../../system/proc/process-tree.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { isOwnCommand, isPossible, type Known, known, matcherOf, ownedOf } from './candidates.ts';
import type { Identity } from './identity.ts';
import { runsRootsFile } from './owner.ts';

/**
 * The processes that have exactly this word among their arguments. Not those that use it to look for the word, or to show, edit
 * or copy the file of that name.
 */
export async function byArgument(table: ProcessTable, identity: Identity, look: ProcessLook): Promise<Known> {
  const { argument, process } = identity;
  if (argument === undefined) return known([]);
  const isCandidate = isPossible(table, identity, look.all);
  const isNamed = matcherOf(table, identity);
  // A path that cannot be examined is taken for a file's.
  const isOfFile = argument.startsWith('/') && hostFile(argument) !== 'none';
  const matching: SeenProcess[] = [];
  const commands: SeenProcess[] = [];
  const { having, unread } = await holdersOf(table, argument, look);
  const judged = await judgeWhole(table, having, (seen) => {
    if (!isCandidate(seen)) return isOwnCommand(table, seen) ? 'command' : 'none';
    return !isNamed(seen) && (isTool(seen) || (isOfFile && looksAtFile(table, seen, argument))) ? 'none' : 'match';
  });
  // Whether it is only a parameter depends on what could not be read.
  const unsure = new Set(judged.unread);
  for (const seen of having) {
    const verdict = unsure.has(seen) ? 'none' : judged.verdicts.get(seen);
    if (verdict === 'match') matching.push(seen);
    else if (verdict === 'command') commands.push(seen);
  }
  // sudo(8) and the like have the word too, as an argument of the program that they run.
  const above = new Set(
    [...matching, ...commands].flatMap(({ pid }) => [...ancestorsOf(pid, look.all)].filter((one) => one !== pid)),
  );
  const isLauncher = ({ pid, executable = '' }: SeenProcess): boolean =>
    above.has(pid) && interpreterOf(executable) === 'launcher';
  const meant = matching.filter((seen) => !isLauncher(seen));
  const runsRoots = (seen: SeenProcess): boolean => runsRootsFile(table, seen, [process.systemName, argument]);
  return { ...(await ownedOf(table, identity, meant, runsRoots)), unread: [...unread, ...judged.unread] };
}

/** The processes that have this word among their arguments. */
async function holdersOf(table: ProcessTable, argument: string, { all }: ProcessLook): Promise<Having<SeenProcess>> {
  const holders: SeenProcess[] = [];
  const cut: SeenProcess[] = [];
  for (const seen of all.values()) {
    const { argv = [], isCut } = seen;
    // A part of the first word is not a word.
    if (argv.includes(argument, isCut === true ? 1 : 0)) holders.push(seen);
    else if (isCut === true) cut.push(seen);
  }
  const { having, unread } = await table.memory.withArgument(cut, argument);
  return { having: [...holders, ...having].sort((a, b) => a.pid - b.pid), unread };
}

/** True for a tool that people use to search for words or to look at files. */
function isTool({ argv = [], executable = '' }: SeenProcess): boolean {
  const names = [executable, argv[0] ?? ''].map((name) => lastPart(name).replace(/\.(?:basic|tiny|nox|gtk3?)$/, ''));
  return names.some((name) => TOOLS.has(name));
}

/**
 * True if it runs at a terminal, or is a shell that has the path as a parameter of its text: other processes run or serve the
 * file.
 */
function looksAtFile(table: ProcessTable, { pid, argv = [], executable = '' }: SeenProcess, argument: string): boolean {
  const kind = interpreterOf(executable);
  if (kind !== undefined) return kind !== 'launcher' && isParameter(kind, argv, argument);
  return table.read(pid, ['terminalDevice'])?.terminalDevice !== 0;
}

/**
 * As in `bash -c '…' deploy /srv/app.py`: what the shell executes has the word too then, unless the shell reads the file
 * itself.
 */
function isParameter(kind: Interpreter, argv: readonly string[], argument: string): boolean {
  const given = kind.runsPrograms === true ? givenPart(kind, argv) : undefined;
  if (given?.kind !== 'text' || argv.indexOf(argument) <= given.at) return false;
  return !/(?:^|[\s;&|(){])(?:\.|source)\s/.test(argv[given.at] ?? '');
}

const TOOLS: ReadonlySet<string> = new Set(
  (
    'tail head less more most cat tac nl vi vim ex nvim view nano pico emacs ed joe mcedit mcview grep egrep fgrep rg ag sed awk gawk mawk ' +
    'diff cmp cp mv ln rsync scp sftp sftp-server tar gzip bzip2 xz zip unzip cpio dd wc file stat touch chmod chown ls du find lsof fuser ' +
    'inotifywait md5sum sha1sum sha256sum sha512sum git svn multitail lnav watch ssh pgrep pkill pidof strace ltrace gdb'
  ).split(' '),
);
