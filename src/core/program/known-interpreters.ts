// The table of known interpreters and their options.
/** The options of a program that executes other files. Any other word before the script may name more that is executed. */
export interface Interpreter {
  /** Words before the script that do not affect what is executed. */
  readonly flags?: RegExp;
  /** Options whose value is the next word, and which values are harmless. */
  readonly values?: Readonly<Record<string, RegExp>>;
  /** All options whose value is the next word, whatever that is, except long options that are always one word (`--x=y`). */
  readonly valued?: RegExp;
  /** An option by which it executes a text, or its input: what follows is data. */
  readonly text?: RegExp;
  /** An option by which it executes a module that it finds by name: what follows belongs to the module. */
  readonly module?: RegExp;
  /** The script follows only this option; absent: it is the first word that is not an option. */
  readonly scriptOption?: string;
  /** Where it finds more of its own code: in the user's home, and also beside the file by which it is called (a venv). */
  readonly library?: 'home' | 'home and name';
  /** It loads files from the folder of its script, or also from every folder above. */
  readonly modules?: 'beside' | 'above';
  /** It runs programs by name, which it finds in the folders of $PATH, and files of its working directory: a shell. */
  readonly runsPrograms?: true;
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
/** Whether the words before its script affect what is executed is not known. */
const otherShell: Interpreter = { text: /^-[a-zA-Z]*[cs]|^--command(?:=|$)/, runsPrograms: true };
/** Also not known. */
const plain: Interpreter = { text: /^-[ceE]$/, modules: 'above' };
const lua: Interpreter = { valued: /^-[elW]$/, modules: 'above' };
const withCommands: Interpreter = { ...plain, flags: /^(?:run|serve|exec)$/ };

/** How each known interpreter learns what to execute, by its name without version and variant. */
export const INTERPRETERS: Readonly<Record<string, Interpreter>> = {
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

/** Programs that execute the files of their working directory or of a given folder, by name. */
export const FOLDER_RUNNERS: ReadonlySet<string> = new Set(
  (
    'make gmake bmake pmake ninja samu scons meson bazel cmake ctest ant gradle gradlew mvn mvnw sbt lein rake npm npx yarn pnpm pnpx ' +
    'gulp grunt pm2 forever nodemon bundle bundler rackup puma unicorn thin passenger rails sidekiq foreman composer just invoke fab ' +
    'tox nox pipenv poetry uv pdm gunicorn uvicorn hypercorn daphne waitress-serve uwsgi uwsgi-core celery flask django-admin mix iex rebar3 ' +
    'cargo go'
  ).split(' '),
);

/** Many programs in one file. */
export const BOXES: ReadonlySet<string> = new Set(['busybox', 'toybox']);

/** The dynamic loader and emulators run whatever file they are given: ld-linux-x86-64.so.2, qemu-aarch64-static. */
export const LOADER = /^(?:ld-linux|ld-musl|ld\.so|ld-\d|qemu-(?!system|ga|img|nbd|io)\w)/;
