/**
 * The candidate for which `name` is most likely a typing error; undefined if none is near, or if two are equally near. It
 * ignores letter case, which of `-`, `_` and blanks separates words, and abbreviations (`cmd`, `tmo`, `max`). It compares word
 * by word: each may have one or two errors (insert, delete, replace, swap), but may not be a different word. One word may be
 * missing or extra.
 */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined;
  const wanted = [wordsOf(name), spelt(name)] as const;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    // Also as spelt: what abbreviates one of our words (`exec`) may be a word itself.
    const distance = Math.min(distanceOf(wanted[0], wordsOf(candidate)), distanceOf(wanted[1], spelt(candidate)));
    if (distance > bestDistance || distance === Number.POSITIVE_INFINITY) continue;
    best = distance === bestDistance && looseName(candidate) !== looseName(best ?? '') ? undefined : candidate;
    bestDistance = distance;
  }
  return best;
}

/** `name` as people remember it: without letter case, with `-` as `_`. */
export function looseName(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

const LONGEST = 100;

/** The words in lower case, each abbreviation replaced by its full form. */
function wordsOf(name: string): string[] {
  return spelt(name)
    .flatMap((word) => COMPOUNDS[word] ?? [word])
    .map((word) => LONG_FORMS.get(word) ?? word);
}

function spelt(name: string): string[] {
  const words = name.toLowerCase().split(/[\s_.-]+/);
  return words.filter((word) => word !== '');
}

/** Compounds that people write as one word and that the letters alone would not match. */
const COMPOUNDS: Readonly<Record<string, readonly string[] | undefined>> = Object.assign(Object.create(null), {
  hostname: ['host', 'name'],
  username: ['user', 'name'],
  dbname: ['database', 'name'],
  filename: ['file', 'name'],
  logfile: ['log', 'file'],
  loglevel: ['log', 'level'],
  healthcheck: ['health', 'check'],
});

/** What people write for one of our words. */
const LONG_FORMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    command: 'cmd exec script',
    timeout: 'tmo tmout',
    max: 'maximum',
    min: 'minimum',
    dir: 'directory folder',
    password: 'pw pwd pass passwd',
    check: 'chk checks',
    attempts: 'tries retries',
    user: 'usr',
    group: 'grp',
    database: 'db',
    service: 'svc srv systemd systemctl unit',
    process: 'proc processes program',
    restart: 'restarts',
    strategy: 'strat',
    logging: 'log logs',
    control: 'ctrl ctl',
    priority: 'prio',
    argument: 'arg args arguments',
    system: 'sys',
    depends: 'dependencies deps',
    signal: 'sig',
    interval: 'intvl',
    file: 'path',
  }).flatMap(([long, shorts]) => shorts.split(' ').map((short) => [short, long])),
);

/** 0: the same; Infinity: one is not meant by the other. */
function distanceOf(wanted: readonly string[], words: readonly string[]): number {
  if (wanted.length === 0 || words.length === 0) return Number.POSITIVE_INFINITY;
  const [a, b] = [wanted.join(''), words.join('')];
  if (a === b) return 0;
  if (wanted.length === words.length) return Math.min(typos(wanted, words), swapped(wanted, words));
  const joined = within(a, b, MOST_JOINED);
  return Math.min(joined, oneMore(wanted, words), oneMore(words, wanted));
}

const MOST_JOINED = 2;

/** The number of errors, word by word. */
function typos(wanted: readonly string[], words: readonly string[]): number {
  return wanted.reduce((sum, word, at) => {
    const other = words[at] ?? '';
    return sum + within(word, other, allowedTypos(Math.max(word.length, other.length)));
  }, 0);
}

/** 1 if they are the same words in another order. */
function swapped(wanted: readonly string[], words: readonly string[]): number {
  return wanted.toSorted().join('_') === words.toSorted().join('_') ? 1 : Number.POSITIVE_INFINITY;
}

/** The distance if `longer` has one more word: larger than that of any typing error. */
function oneMore(shorter: readonly string[], longer: readonly string[]): number {
  if (longer.length !== shorter.length + 1) return Number.POSITIVE_INFINITY;
  const fits = longer.map((_, left) => typos(shorter, longer.toSpliced(left, 1)));
  return ONE_WORD + Math.min(...fits);
}

const ONE_WORD = 10;

function allowedTypos(length: number): number {
  if (length <= 2) return 0;
  return length <= 4 ? 1 : length <= 8 ? 2 : 3;
}

function within(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Number.POSITIVE_INFINITY;
  const distance = editDistance(a, b);
  return distance <= most ? distance : Number.POSITIVE_INFINITY;
}

/** Optimal string alignment. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
