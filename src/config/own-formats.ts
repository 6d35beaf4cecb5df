// The programs for which `%s` means something in their own formats.
/** An option whose value is a format of the program in which `%s` has a meaning. */
interface FormatOption {
  /** `-c`, `--format`, or `-printf` for programs that write long options with one dash. */
  readonly option: string;
  /** The value is the second word after the option: `-fprintf FILE FORMAT`. */
  readonly behindOne?: true;
  /** Only a value that begins with this is a format: `--time-style=+FORMAT`. */
  readonly begins?: string;
  /** The value is never in the next word. */
  readonly joined?: true;
}

/** How a program gets formats in which `%s` has a meaning. */
export interface FormatRule {
  readonly options?: readonly FormatOption[];
  /**
   * The format is the first word that is not an option, or a word that begins with this. `needsMore`: only if something follows
   * it.
   */
  readonly operand?: { readonly begins?: string; readonly needsMore?: true };
  /** Options whose value is the next word, if they are between the program and its operand. */
  readonly valued?: RegExp;
  /** Its options end before its first operand: later ones belong to the program that it runs. */
  readonly runsOperand?: true;
}

/** The programs that know `%s`, according to their manuals. */
export const OWN_FORMATS: Readonly<Record<string, FormatRule>> = {
  // Seconds since 1970.
  date: {
    operand: { begins: '+' },
    valued: /^(?:-[a-zA-Z]*[dfrs]|--(?:date|file|reference|set))$/,
    options: [{ option: '-D' }],
  },
  ts: { operand: {} },
  ls: { options: [{ option: '--time-style', begins: '+' }] },
  dir: { options: [{ option: '--time-style', begins: '+' }] },
  vdir: { options: [{ option: '--time-style', begins: '+' }] },
  du: { options: [{ option: '--time-style', begins: '+' }] },
  pr: { options: [{ option: '-D' }, { option: '--date-format' }] },
  ps: { options: [{ option: '-D' }, { option: '--date-format' }] },
  inotifywait: { options: [{ option: '--timefmt' }] },
  inotifywatch: { options: [{ option: '--timefmt' }] },
  fswatch: { options: [{ option: '-f' }, { option: '--format-time' }] },
  // A file's size.
  stat: { options: [{ option: '-c' }, { option: '--format' }, { option: '--printf' }] },
  find: { options: [{ option: '-printf' }, { option: '-fprintf', behindOne: true }] },
  // A text.
  printf: { operand: { needsMore: true }, valued: /^-v$/ },
  hexdump: { options: [{ option: '-e' }] },
  hd: { options: [{ option: '-e' }] },
  kcat: { options: [{ option: '-f' }] },
  kafkacat: { options: [{ option: '-f' }] },
  condor_q: { options: [{ option: '-format' }] },
  condor_status: { options: [{ option: '-format' }] },
  // A commit's subject.
  git: {
    options: [
      { option: '--format', joined: true },
      { option: '--pretty', joined: true },
      { option: '--date', joined: true },
    ],
  },
  // A request's status.
  varnishncsa: { options: [{ option: '-F' }] },
  goaccess: { options: [{ option: '--log-format' }, { option: '--date-format' }, { option: '--time-format' }] },
  // A kind of checkpoint, messages of sockets, a scene, a node, a placeholder for a word.
  tar: { options: [{ option: '--checkpoint-action' }] },
  time: {
    options: [{ option: '-f' }, { option: '--format' }],
    valued: /^(?:-[a-z]*[fo]|--(?:format|output))$/,
    runsOperand: true,
  },
  identify: { options: [{ option: '-format' }] },
  convert: { options: [{ option: '-format' }] },
  magick: { options: [{ option: '-format' }] },
  squeue: { options: [{ option: '-o' }, { option: '--format' }] },
  sinfo: { options: [{ option: '-o' }, { option: '--format' }] },
  xargs: { options: [{ option: '-I' }], valued: /^-[0-9a-zA-Z]*[IEdLnPsa]$/, runsOperand: true },
  // The name of a core file: the signal.
  sysctl: { operand: { begins: 'kernel.core_pattern=' } },
};

/** Environment variables whose value is such a format for a program that reads them. */
export const FORMAT_VARIABLES = /^(?:TIME|TIME_STYLE|HISTTIMEFORMAT|LESSOPEN|LESSCLOSE)$/;

/** The values that `args` give to an option, in every form: `-c X`, `-cX`, `-Lc X`, `--format=X`, `-printf X`. */
export function optionValues(args: readonly string[], { option, behindOne, joined }: FormatOption): string[] {
  const values: string[] = [];
  const letter = /^-[A-Za-z]$/.test(option) ? option.charAt(1) : undefined;
  for (const [at, word] of args.entries()) {
    if (word === '--') break;
    const next = joined ? undefined : args[at + (behindOne ? 2 : 1)];
    if (letter === undefined && word.startsWith(`${option}=`)) values.push(word.slice(option.length + 1));
    else if (word === option || (letter !== undefined && isCluster(word) && word.endsWith(letter))) values.push(next ?? '');
    else if (letter !== undefined && isCluster(word) && word.includes(letter))
      values.push(word.slice(word.indexOf(letter) + 1));
  }
  return values;
}

function isCluster(word: string): boolean {
  return /^-[A-Za-z0-9]/.test(word);
}

/** The part of `args` that the program itself reads: all, or the words before the program that it runs. */
export function ownArguments(args: readonly string[], { valued, runsOperand }: FormatRule): readonly string[] {
  return runsOperand ? args.slice(0, operandPlaces(args, valued)[0] ?? args.length) : args;
}

/** The words that are neither options nor values of the options that `valued` matches. */
export function operandsOf(args: readonly string[], valued: RegExp | undefined): string[] {
  return operandPlaces(args, valued).map((at) => args[at] ?? '');
}

function operandPlaces(args: readonly string[], valued: RegExp | undefined): number[] {
  const places: number[] = [];
  let isOver = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (isOver || !/^-./.test(word)) places.push(at);
    else if (word === '--') isOver = true;
    else if (valued?.test(word) === true) at++;
  }
  return places;
}
