import { lastPart } from './comm.ts';
import { LAUNCHERS } from './launchers.ts';

/**
 * What a program that executes other files is told on its command line. A word before the script that is none of these may name more
 * that is executed.
 */
export interface Interpreter {
  /** Words before the script that change nothing of what is executed. */
  readonly flags?: RegExp;
  /** Options whose value is the next word, and what that may be. */
  readonly values?: Readonly<Record<string, RegExp>>;
  /** All options whose value is the next word, whatever that is, but for those that only one long word can be (`--x=y`). */
  readonly valued?: RegExp;
  /** An option by which it executes a text, or its input: what follows that is data. */
  readonly text?: RegExp;
  /** An option by which it executes a module that it finds by its name; what follows that is the module's. */
  readonly module?: RegExp;
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
  return names.some(launchesProcess) || LOADER.test(names[0]) ? 'launcher' : undefined;
}

function launchesProcess(name: string): boolean {
  return Object.hasOwn(LAUNCHERS, name) && LAUNCHERS[name]?.onlyInText !== true;
}

/** True for what executes what a folder holds, that it is in or is told of: make, rake, gunicorn. As for isInterpreter by its name. */
export function runsFolder(path: string): boolean {
  return namesOf(path).some((one) => FOLDER_RUNNERS.has(one));
}

/** The last part, without version and variant too. */
function namesOf(path: string): readonly [name: string, bare: string, stem: string] {
  const name = lastPart(path);
  const bare = name.replace(/[-_.]?\d[\d.]*[a-z]?$/, '');
  // As a distribution may call it: perl5.36-x86_64-linux-gnu, python3.11-dbg, bash-static.
  return [name, bare, name.replace(/[-_.]?(?:\d|static|dbg|debug).*$/, '')];
}

/** True for a shell. `path` as in isInterpreter; what BusyBox is programName tells. */
export function isShell(path: string): boolean {
  const kind = interpreterOf(path);
  return kind !== undefined && kind !== 'launcher' && kind.runsPrograms === true;
}

/**
 * Which program a process is: the last part of its executable's name or path. BusyBox and Toybox are many programs in one file: there
 * it is the one that they were called as (`argv`), or told to be by the first argument; '' where that is none.
 */
export function programName(path: string, argv: readonly string[]): string {
  const name = lastPart(path);
  if (!isBox(name)) return name;
  // A login shell's name begins with a dash.
  const called = lastPart(argv[0] ?? '').replace(/^-/, '');
  return isBox(called) ? lastPart(argv[1] ?? '') : called;
}

/** True for BusyBox and Toybox. `path`: a name or a path. */
export function isBox(path: string): boolean {
  return BOXES.has(lastPart(path));
}

/** What an interpreter executes, and in which place of its command line that stands; a `text` may be joined to its option instead. */
interface GivenPart {
  readonly kind: 'file' | 'text' | 'module';
  readonly at: number;
}

/** What `argv`, that of an interpreter or of what is none that is known (`{}`), gives it to execute; undefined where that is nothing. */
export function givenPart({ flags, valued, text, module }: Interpreter, argv: readonly string[]): GivenPart | undefined {
  let kind: GivenPart['kind'] = 'file';
  let isOver = false;
  for (let at = 1; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (isOver || !/^[-+]/.test(word)) {
      if (isOver || flags?.test(word) !== true) return { kind, at };
    } else if (word === '-') return { kind: 'text', at };
    else if (word === '--') isOver = true;
    else {
      if (text?.test(word)) kind = 'text';
      else if (module?.test(word)) kind = 'module';
      if (valued?.test(word)) at += 1;
    }
  }
  return undefined;
}

const python: Interpreter = {
  flags: /^-[bBdEIOPqsSuvR]+$/,
  values: { '-W': /^[\w:]+$/, '-X': /^(?!pycache_prefix)[\w-]+(?:=\w+)?$/ },
  valued: /^-[bBdEhiIOPqsSuvVx?]*[WX]$|^--check-hash-based-pycs$/,
  text: /^-[bBdEhiIOPqsSuvVx?]*c/,
  module: /^-[bBdEhiIOPqsSuvVx?]*m/,
  library: 'home and name',
  modules: 'beside',
};
const perl: Interpreter = {
  flags: /^-[wWtTuU]+$/,
  valued: /^-[acfnpsStTuUwWX\d]*I$/,
  text: /^-[acflnpsStTuUwWX\d]*[eE]/,
};
const ruby: Interpreter = {
  flags: /^-(?:[wvU]+|W[0-2]?|-yjit|-jit|-disable-gems)$/,
  valued: /^-[acdlnpsSvwU]*[IrCEX]$|^--(?:(?:external-|internal-)?encoding|enable|disable)$/,
  text: /^-[acdlnpsSvwUW\d]*e/,
  library: 'home',
};
const node: Interpreter = {
  flags:
    /^--(?:max|no|trace|disable|enable-source|use|harmony|expose|preserve|stack|unhandled|lite|optimize)[-_][\w-]+(?:=[\w-]+)?$/,
  valued:
    /^(?:-[rC]|--(?:require|import|conditions|(?:experimental-)?loader|env-file(?:-if-exists)?|title|input-type|(?:inspect|debug)-port|icu-data-dir|openssl-config|redirect-warnings|disable-warning|unhandled-rejections|dns-result-order|max-http-header-size|tls-(?:keylog|cipher-list)|trace-event-(?:categories|file-pattern)|diagnostic-dir|report-(?:dir|directory|filename|signal)|heapsnapshot-signal|(?:cpu|heap)-prof-(?:dir|name|interval)|watch-path|localstorage-file))$/,
  text: /^(?:-p?e|-p|--eval|--print)(?:=|$)/,
  library: 'home',
  modules: 'above',
};
const php: Interpreter = {
  flags: /^-[nq]$/,
  valued: /^(?:-[cdStz]|--(?:php-ini|define|server|docroot|zend-extension))$/,
  text: /^(?:-[nq]*[rBRE]|--(?:run|process-begin|process-code|process-end)(?:=|$))/,
  values: { '-d': /^(?:memory_limit|max_execution_time|display_errors|error_reporting|log_errors)(?:=[\w-]*)?$/ },
  modules: 'beside',
};
const java: Interpreter = {
  flags:
    /^-(?:ea|esa|server|client|X(?!bootclasspath|run|X:(?:Flags|VMOptionsFile|OnError|OnOutOfMemoryError))[^/]*|D(?!java\.(?:class|ext|endorsed|library|system)\b)[^/]*)$/,
  valued:
    /^(?:-cp|-p|--?class-?path|--(?:upgrade-)?module-path|--add-(?:modules|exports|opens|reads)|--enable-native-access|--limit-modules|--patch-module|--source)$/,
  module: /^(?:-m|--module)(?:=|$)/,
  scriptOption: '-jar',
};
const shell: Interpreter = {
  flags: /^(?:[-+][abefhkmnptuvxBCEHPT]+|--noprofile|--norc|--posix)$/,
  values: { '-o': /^\w+$/, '+o': /^\w+$/ },
  valued: /^[-+][a-zA-Z]*[oO]$|^--(?:rcfile|init-file)$/,
  text: /^-[a-zA-Z]*[cs]/,
  runsPrograms: true,
};
/** Whether what stands before its script changes what is executed is not known. */
const otherShell: Interpreter = { text: /^-[a-zA-Z]*[cs]|^--command(?:=|$)/, runsPrograms: true };
/** Likewise. */
const plain: Interpreter = { text: /^-[ceE]$/, modules: 'above' };
const lua: Interpreter = { valued: /^-[elW]$/, modules: 'above' };
const withCommands: Interpreter = { ...plain, flags: /^(?:run|serve|exec)$/ };

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
  lksh: shell,
  mksh: shell,
  pdksh: shell,
  rksh: shell,
  hush: shell,
  posh: shell,
  yash: shell,
  zsh: shell,
  csh: otherShell,
  tcsh: otherShell,
  fish: otherShell,
  tclsh: plain,
  wish: plain,
  expect: plain,
  lua,
  luajit: lua,
  guile: plain,
  Rscript: plain,
  dotnet: withCommands,
  mono: plain,
  deno: withCommands,
  bun: withCommands,
  julia: plain,
  groovy: plain,
  escript: plain,
  pwsh: plain,
};

const FOLDER_RUNNERS: ReadonlySet<string> = new Set(
  (
    'make gmake bmake pmake ninja samu scons meson bazel cmake ctest ant gradle gradlew mvn mvnw sbt lein rake npm npx yarn pnpm pnpx ' +
    'gulp grunt pm2 forever nodemon bundle bundler rackup puma unicorn thin passenger rails sidekiq foreman composer just invoke fab ' +
    'tox nox pipenv poetry uv pdm gunicorn uvicorn hypercorn daphne waitress-serve uwsgi uwsgi-core celery flask django-admin mix iex rebar3 ' +
    'cargo go'
  ).split(' '),
);

const BOXES: ReadonlySet<string> = new Set(['busybox', 'toybox']);

/** The dynamic loader and emulators run whatever file they are given: ld-linux-x86-64.so.2, qemu-aarch64-static. */
const LOADER = /^(?:ld-linux|ld-musl|ld\.so|ld-\d|qemu-(?!system|ga|img|nbd|io)\w)/;
