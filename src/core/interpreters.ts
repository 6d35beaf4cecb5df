/**
 * What a program that executes other files is told on its command line. A word before the script that is none of these may name more
 * that is executed.
 */
export interface Interpreter {
  /** Words before the script that change nothing of what is executed. */
  readonly flags?: RegExp;
  /** Options whose value is the next word, and what that may be. */
  readonly values?: Readonly<Record<string, RegExp>>;
  /** The script stands behind this option alone; absent: it is the first word that is no option. */
  readonly scriptOption?: string;
  /** Where it finds more of its own: in the user's home; and beside the file that it is called by (a venv's). */
  readonly library?: 'home' | 'home and name';
  /** It loads files that lie beside its script, or also in every folder above. */
  readonly modules?: 'beside' | 'above';
  /** It runs programs by name, which it finds in the folders of $PATH, and files of its directory: a shell. */
  readonly runsPrograms?: true;
}

/**
 * True for what executes a file that its command line names: an interpreter (python3.11, perl, java) or a launcher (env, sudo, nohup).
 * `path` is a name or a path; it is told by its last part without version and variant.
 */
export function isInterpreter(path: string): boolean {
  return interpreterOf(path) !== undefined;
}

/** How that program is told what to execute; `launcher`: that is another program's command line; undefined: it is neither. */
export function interpreterOf(path: string): Interpreter | 'launcher' | undefined {
  const names = namesOf(path);
  const known = names.find((one) => Object.hasOwn(INTERPRETERS, one));
  if (known !== undefined) return INTERPRETERS[known];
  return names.some((one) => LAUNCHERS.has(one)) || LOADER.test(names[0]) ? 'launcher' : undefined;
}

/** True for what executes what a folder holds, that it is in or is told of: make, rake, gunicorn. As for isInterpreter by its name. */
export function runsFolder(path: string): boolean {
  return namesOf(path).some((one) => FOLDER_RUNNERS.has(one));
}

/** The last part, without version and variant too. */
function namesOf(path: string): readonly [name: string, bare: string, stem: string] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const bare = name.replace(/[-_.]?\d[\d.]*[a-z]?$/, '');
  // As a distribution may call it: perl5.36-x86_64-linux-gnu, python3.11-dbg, bash-static.
  return [name, bare, name.replace(/[-_.]?(?:\d|static|dbg|debug).*$/, '')];
}

const python: Interpreter = {
  flags: /^-[bBdEIOPqsSuvR]+$/,
  values: { '-W': /^[\w:]+$/, '-X': /^(?!pycache_prefix)[\w-]+(?:=\w+)?$/ },
  library: 'home and name',
  modules: 'beside',
};
const perl: Interpreter = { flags: /^-[wWtTuU]+$/ };
const ruby: Interpreter = { flags: /^-(?:[wvU]+|W[0-2]?|-yjit|-jit|-disable-gems)$/, library: 'home' };
const node: Interpreter = {
  flags:
    /^--(?:max|no|trace|disable|enable-source|use|harmony|expose|preserve|stack|unhandled|lite|optimize)[-_][\w-]+(?:=[\w-]+)?$/,
  library: 'home',
  modules: 'above',
};
const php: Interpreter = {
  flags: /^-[nq]$/,
  values: { '-d': /^(?:memory_limit|max_execution_time|display_errors|error_reporting|log_errors)(?:=[\w-]*)?$/ },
  modules: 'beside',
};
const java: Interpreter = {
  flags:
    /^-(?:ea|esa|server|client|X(?!bootclasspath|run|X:(?:Flags|VMOptionsFile|OnError|OnOutOfMemoryError))[^/]*|D(?!java\.(?:class|ext|endorsed|library|system)\b)[^/]*)$/,
  scriptOption: '-jar',
};
const shell: Interpreter = {
  flags: /^(?:[-+][abefhkmnptuvxBCEHPT]+|--noprofile|--norc|--posix)$/,
  values: { '-o': /^\w+$/, '+o': /^\w+$/ },
  runsPrograms: true,
};
/** What stands before its script is not looked into. */
const otherShell: Interpreter = { runsPrograms: true };
/** Likewise. */
const plain: Interpreter = { modules: 'above' };

const INTERPRETERS: Readonly<Record<string, Interpreter>> = {
  python,
  pypy: python,
  perl,
  ruby,
  jruby: ruby,
  node,
  nodejs: node,
  php,
  'php-cgi': php,
  java,
  sh: shell,
  bash: shell,
  rbash: shell,
  dash: shell,
  ash: shell,
  ksh: shell,
  mksh: shell,
  yash: shell,
  zsh: shell,
  csh: otherShell,
  tcsh: otherShell,
  fish: otherShell,
  tclsh: plain,
  wish: plain,
  expect: plain,
  lua: plain,
  luajit: plain,
  guile: plain,
  Rscript: plain,
  dotnet: plain,
  mono: plain,
  deno: plain,
  bun: plain,
  julia: plain,
  groovy: plain,
  escript: plain,
  pwsh: plain,
};

const LAUNCHERS: ReadonlySet<string> = new Set(
  (
    'env nohup sudo doas su runuser setpriv setsid nice ionice chrt taskset numactl timeout stdbuf chroot unshare nsenter ' +
    'systemd-run systemd-inhibit start-stop-daemon daemonize chpst softlimit setuidgid s6-setuidgid envdir gosu su-exec tini ' +
    'dumb-init catatonit flock watch xargs parallel strace ltrace gdb gdbserver valgrind catchsegv dbus-run-session ' +
    'ssh-agent screen tmux socat busybox toybox awk gawk mawk nawk beam.smp wine'
  ).split(' '),
);

const FOLDER_RUNNERS: ReadonlySet<string> = new Set(
  (
    'make gmake bmake pmake ninja samu scons meson bazel cmake ctest ant gradle gradlew mvn mvnw sbt lein rake npm npx yarn pnpm pnpx ' +
    'gulp grunt pm2 forever nodemon bundle bundler rackup puma unicorn thin passenger rails sidekiq foreman composer just invoke fab ' +
    'tox nox pipenv poetry uv pdm gunicorn uvicorn hypercorn daphne waitress-serve uwsgi uwsgi-core celery flask django-admin mix iex rebar3 ' +
    'cargo go'
  ).split(' '),
);

/** The dynamic loader and emulators run whatever file they are given: ld-linux-x86-64.so.2, qemu-aarch64-static. */
const LOADER = /^(?:ld-linux|ld-musl|ld\.so|ld-\d|qemu-(?!system|ga|img|nbd|io)\w)/;
