import { interpreterOf } from '../../core/program/interpreters.ts';

/** A program that starts another one as a daemon, according to one command line. */
export interface DaemonStart {
  /** Its name without a folder: `start-stop-daemon`. */
  readonly starter: string;
  /** The file that will contain the daemon's pid; undefined: none is named. */
  readonly pidFile: string | undefined;
  /** What is started, and its arguments; []: it is not named. */
  readonly program: readonly string[];
}

/**
 * How the words of one command start a daemon, even behind launchers (sudo, nice); undefined if they contain no program that
 * does that. Source: start-stop-daemon(8), daemonize(1), daemon(1), supervise-daemon(8), startproc(8), start_daemon of LSB,
 * jsvc(1).
 */
export function daemonStart(command: readonly string[]): DaemonStart | undefined {
  const at = command.findIndex((word) => starterOf(word) !== undefined);
  const starter = starterOf(command[at] ?? '');
  const form = starter === undefined ? undefined : STARTERS[starter];
  if (starter === undefined || form === undefined) return undefined;
  // The words that an interpreter is given are its own matter.
  if (command.slice(0, at).some((word) => isInterpreter(word))) return undefined;
  const { values, rest } = optionsIn(command.slice(at + 1), form);
  const given = (options: readonly string[]): string | undefined =>
    options.map((option) => values.get(option)).find((value) => value !== undefined);
  const executed = given(form.program ?? []);
  return {
    starter,
    pidFile: given(form.pidFile),
    program: executed === undefined ? rest : [executed, ...rest.filter((word) => word !== '--')],
  };
}

/** Not `/opt/app/daemon`. */
function starterOf(word: string): string | undefined {
  const name = word.replace(/^\/(?:usr\/)?(?:local\/)?s?bin\//, '');
  return Object.hasOwn(STARTERS, name) ? name : undefined;
}

function isInterpreter(word: string): boolean {
  const kind = interpreterOf(word);
  return kind !== undefined && kind !== 'launcher';
}

/** The options of a starter. */
interface Form {
  /** Options that name the pid file. */
  readonly pidFile: readonly string[];
  /** Options that name the program, the more certain first; absent: the program is the first word that is not an option. */
  readonly program?: readonly string[];
  /** Other options that have a value in a word of its own. */
  readonly valued: readonly string[];
}

const STARTERS: Readonly<Record<string, Form>> = {
  'start-stop-daemon': {
    pidFile: ['-p', '--pidfile', '--pid'],
    program: ['-a', '--startas', '-x', '--exec'],
    valued: words(
      '-n --name -u --user -g --group -c --chuid -r --chroot -d --chdir -N --nicelevel -P --procsched -I --iosched -k --umask ' +
        '-O --output -s --signal -R --retry --ppid -1 --stdout -2 --stderr -w --wait -e --env --notify-timeout',
    ),
  },
  'supervise-daemon': {
    pidFile: ['-p', '--pidfile'],
    program: ['-a', '--startas', '-x', '--exec'],
    valued: words(
      '-u --user -g --group -r --chroot -d --chdir -e --env -N --nicelevel -I --ionice -k --umask -1 -2 -D -m -P -R',
    ),
  },
  daemonize: { pidFile: ['-p'], valued: words('-c -e -o -E -u -l') },
  daemon: { pidFile: ['-F', '--pidfile', '-p'], valued: words('-n --name -P -u --user -D -o -O -E -l -e -L -A -M') },
  startproc: { pidFile: ['-p'], valued: words('-l -n -t -T -u -g -c') },
  start_daemon: { pidFile: ['-p'], valued: ['-n'] },
  jsvc: { pidFile: ['-pidfile'], valued: words('-user -home -cp -classpath -outfile -errfile -procname -wait') },
};

function words(text: string): string[] {
  return text.split(' ');
}

/**
 * The options, each with its value, and what follows: from the first word that is not an option, unless an option names the
 * program.
 */
function optionsIn(args: readonly string[], form: Form): { values: ReadonlyMap<string, string>; rest: readonly string[] } {
  const named = [...form.pidFile, ...(form.program ?? [])];
  const takesValue = (option: string): boolean => named.includes(option) || form.valued.includes(option);
  const values = new Map<string, string>();
  let at = 0;
  for (let word = args[at]; word !== undefined && word !== '--'; word = args[at]) {
    const isOption = word.startsWith('-');
    if (!isOption && form.program === undefined) break;
    at += 1;
    if (!isOption) continue;
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    if (equals > 0) values.set(word.slice(0, equals), word.slice(equals + 1));
    else if (takesValue(word)) {
      const value = args[at++];
      if (value !== undefined) values.set(word, value);
    } else if (!word.startsWith('--')) {
      // `-Sbmp FILE`, and `-pFILE`: getopt(3).
      const letter = [...word.slice(1)].findIndex((one) => takesValue(`-${one}`));
      if (letter < 0) continue;
      const value = word.slice(letter + 2) || args[at++];
      if (value !== undefined) values.set(`-${word.charAt(letter + 1)}`, value);
    }
  }
  return { values, rest: args.slice(args[at] === '--' ? at + 1 : at) };
}
