/** What carries a program's environment to it past everybody's eyes. */
export interface Handover {
  /** Program and arguments that read `input` from stdin, and become the program. */
  readonly argv: readonly string[];
  /** Of the environment; to be read by nobody else, it may hold secrets. */
  readonly input: string;
}

/**
 * Hands `environment` over on stdin: arguments can be read by anybody, and so can the environment of a unit by its properties.
 * The program finds it as it is, but for variables that no shell can hold (`a.b=`, exported functions, UID), and for SHLVL and
 * `_`, which bash sets. `argv[0]` may be any text. Needs bash; the environment that bash itself is started with is `ownNames`.
 */
export function handOver(
  environment: ReadonlyMap<string, string>,
  executable: string,
  argv: readonly string[],
  ownNames: readonly string[],
): Handover {
  const [argv0 = executable, ...rest] = argv;
  const unset = ['PWD', 'OLDPWD', 'SHLVL', ...ownNames].join(' ');
  return {
    // Privileged, so that a file or a function that somebody else left in its way is not read.
    argv: ['bash', '-p', '-c', '--', `unset ${unset}\n${TAKE_OVER}`, 'bash', argv0, executable, ...rest],
    input: [...environment]
      .filter(([name]) => isShellVariable(name))
      .map(([name, value]) => `${name}=${value}\0`)
      .join(''),
  };
}

/** `command`: with a POSIXLY_CORRECT among them, one that bash does not let be set would end it. */
const TAKE_OVER = `while IFS= read -r -d '' entry; do command export -- "$entry"; done 2>/dev/null
export -n entry
exec -a "$1" -- "$2" "\${@:3}" </dev/null`;

function isShellVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELLS_OWN.includes(name);
}

const SHELLS_OWN: readonly string[] = ['_', 'entry', 'BASHOPTS', 'EUID', 'IFS', 'PPID', 'SHELLOPTS', 'UID'];
