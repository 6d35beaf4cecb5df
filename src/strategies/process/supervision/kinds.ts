// Recognises known supervisors, shells and wrappers.
import { basename } from 'node:path';
import { interpreterOf, isShell, programName } from '../../../core/program/interpreters.ts';
import type { ProcessInfo } from '../../../system/proc/table.ts';

/** The fields that show what a process is, except its arguments. */
export const KIND_FIELDS_BUT_ARGV = ['name', 'executable', 'terminalDevice'] as const;

/** What a process above a program is. */
export type ParentKind =
  /** Its purpose is to restart what ends; `name` as people call it. */
  | { readonly kind: 'supervisor'; readonly name: string }
  /** It may run a loop, like a script that began with `#!`; a shell with a terminal is a person at work. */
  | { readonly kind: 'shell'; readonly name: string; readonly hasTerminal: boolean }
  /** It runs one command (as another user, within limits, traced), and ends with it. */
  | { readonly kind: 'wrapper'; readonly name: string }
  | { readonly kind: 'other'; readonly name: string };

/** How a kind of supervisor is recognised: by any one of these. */
interface Kind {
  /** Its file's name, its comm, the last part of argv[0], or the same of its script. */
  readonly programs?: readonly string[];
  /** The module after an interpreter's -m. */
  readonly modules?: readonly string[];
  /** What it writes over its argv or its comm. */
  readonly title?: RegExp;
  /** The path of its script, if the last part says nothing. */
  readonly script?: RegExp;
  /** A word of argv that is required as well. */
  readonly argument?: string;
}

/** Every known supervisor, by the name that is shown. */
const kinds: Readonly<Record<string, Kind>> = {
  supervisord: { programs: ['supervisord'], modules: ['supervisor', 'supervisor.supervisord'] },
  pm2: { programs: ['pm2-runtime', 'pm2-docker'], title: /^PM2 v\S*: God/ },
  forever: { script: /\/forever\/bin\/monitor$/ },
  'systemd --user': { programs: ['systemd'], argument: '--user' },
  runsv: { programs: ['runsv'] },
  's6-supervise': { programs: ['s6-supervise'] },
  supervise: { programs: ['supervise'] },
  perpd: { programs: ['perpd'] },
  dinit: { programs: ['dinit'] },
  'supervise-daemon': { programs: ['supervise-daemon'] },
  monit: { programs: ['monit'] },
  circusd: { programs: ['circusd'], modules: ['circus', 'circus.circusd'] },
  god: { programs: ['god'] },
  bluepilld: { programs: ['bluepilld'] },
  immortal: { programs: ['immortal'] },
  conmon: { programs: ['conmon'] },
  'containerd-shim': {
    programs: ['containerd-shim', 'containerd-shim-runc-v1', 'containerd-shim-runc-v2', 'containerd-shim-kata-v2'],
  },
};

const wrappers: readonly string[] = (
  'su sudo doas runuser pkexec sg timeout time flock setsid tini dumb-init catatonit unshare nsenter script strace ltrace ' +
  'dbus-run-session dbus-launch systemd-inhibit firejail bwrap proot cpulimit uv'
).split(' ');
/** Wrappers that are scripts, by the script's name or by the title that they set: `npm start`. */
const SCRIPT_WRAPPER =
  /^(?:npm|npx|yarn|yarnpkg|pnpm|pnpx|chronic|unbuffer|pipenv|poetry|bundle)(?:-cli)?(?:\.[cm]?js)?(?: |$)/;

/** Recognises it by its names: a process that only has such a name gains nothing but that we wait for it. */
export function parentKind(process: ProcessInfo<(typeof KIND_FIELDS_BUT_ARGV)[number] | 'argv'>): ParentKind {
  const { name: comm, argv = [], executable, terminalDevice } = process;
  const called = basename(argv[0] ?? '').replace(/^-/, '');
  const own = programName(executable ?? called, argv);
  const runsScripts = executable === undefined || runsAScript(own);
  const script = runsScripts ? scriptOf(argv) : undefined;
  const module = runsScripts && argv.includes('-m') ? argv[argv.indexOf('-m') + 1] : undefined;
  const names = [own, comm, called, script === undefined ? undefined : basename(script)];
  for (const [name, kind] of Object.entries(kinds)) {
    const isIt =
      names.some((one) => one !== undefined && kind.programs?.includes(one)) ||
      (module !== undefined && kind.modules?.includes(module)) ||
      kind.title?.test(comm) ||
      kind.title?.test(argv[0] ?? '') ||
      kind.script?.test(script ?? '');
    if (isIt && (kind.argument === undefined || argv.includes(kind.argument))) return { kind: 'supervisor', name };
  }
  if (isShell(own)) return { kind: 'shell', name: own, hasTerminal: terminalDevice !== 0 };
  const isScript = runsScripts && [comm, called, names[3]].some((one) => one !== undefined && SCRIPT_WRAPPER.test(one));
  return { kind: wrappers.includes(own) || isScript ? 'wrapper' : 'other', name: comm };
}

/** Not a launcher, which runs another program: that is a process of its own, or replaces it. */
function runsAScript(file: string): boolean {
  const kind = interpreterOf(file);
  return kind !== undefined && kind !== 'launcher';
}

/** The first word after the interpreter and its options; undefined if a text is run (-c). */
function scriptOf(argv: readonly string[]): string | undefined {
  const words = argv.slice(1, SCRIPT_WITHIN);
  const at = words.findIndex((word) => !word.startsWith('-'));
  return /^-\w*c$/.test(words[at - 1] ?? '') ? undefined : words[at];
}

/** How many words of argv are searched for the script. */
const SCRIPT_WITHIN = 8;
