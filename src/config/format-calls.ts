// Recognises `%s` in the formats of other languages, such as `strftime("%s")`.
/** The character that replaces `%s` in a text that is searched; no command contains it. */
export const MARK = '\0';

/**
 * How a word of a command, which may be a text in some language (awk, Perl, SQL), uses `%s` in a format of that language; each
 * in the form in which people write it: `strftime("%s")`. A `%s` anywhere else in the text is the operator's own: `WHERE name =
 * '%s'`.
 */
export function formatCalls(word: string, program: string): string[] {
  if (!word.includes(MARK)) return [];
  // What echo prints is not in any language.
  if (program === 'echo') return EXPANSION.pattern.test(word) ? [EXPANSION.as] : [];
  const rules = [
    EXPANSION,
    ...ANYWHERE,
    ...LANGUAGES.filter(({ programs }) => programs.test(program)).flatMap((one) => one.rules),
  ];
  return rules.filter(({ pattern }) => pattern.test(word)).map(({ as }) => as);
}

interface CallRule {
  readonly pattern: RegExp;
  readonly as: string;
}

/** A string that contains the mark. */
const STRING = String.raw`(?:"(?:[^"\\]|\\.)*\0(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*\0(?:[^'\\]|\\.)*')`;
/** The arguments before it, without a bracket that would end the call. */
const BEFORE = String.raw`(?:[^()"'\0]|\([^()\0]*\)|"[^"\0]*"|'[^'\0]*')*?`;

/** Calls that cannot be meant otherwise, in any language. */
const ANYWHERE: readonly CallRule[] = [
  {
    pattern: new RegExp(String.raw`(?:strf(?:local)?time|strptime)(?:\s*\(\s*${BEFORE}|\s+)${STRING}`, 'is'),
    as: 'strftime("%s")',
  },
  {
    pattern: new RegExp(
      String.raw`(?:date_format|time_format|str_to_date|from_unixtime|formatDateTime|get_format)\s*\(\s*${BEFORE}${STRING}`,
      'i',
    ),
    as: "date_format(…, '%s')",
  },
  { pattern: new RegExp(String.raw`(?:printf|\bformat)\s*\(\s*(?:\w+\s*,\s*)?${STRING}\s*,`, 'is'), as: 'printf("%s", …)' },
  // Before a letter it is a wildcard followed by a word, as in '%server%'.
  { pattern: /\blike\s+["'][^"'\0]*\0(?=\w)/i, as: "LIKE '%s…'" },
  { pattern: new RegExp(String.raw`\{\{[^{}]*\bprintf\s+${STRING}`, 's'), as: '{{printf "%s" …}}' },
];

/** The shell's own removal of a suffix: `${unit%service}`. */
const EXPANSION: CallRule = { pattern: /\$\{[A-Za-z_]\w*(?:\[[^\]]*\])?\0/, as: `\${NAME%s…}` };

const LANGUAGES: readonly { readonly programs: RegExp; readonly rules: readonly CallRule[] }[] = [
  {
    programs: /^(?:[gmn]?awk|original-awk|perl|php|bpftrace|stap|gdb|ruby)/,
    rules: [
      // After other parts of the format, or after the file handle of Perl.
      {
        pattern: new RegExp(String.raw`printf\s*(?:[^,;>(){}"'\0]|"[^"\0]*"|\{[^{}\0]*\})*${STRING}[^;}]*,`, 's'),
        as: 'printf "%s", …',
      },
    ],
  },
  {
    programs: /^perl/,
    rules: [
      {
        pattern: /(?:\b(?:keys|values|each|my|our|local|delete|exists|scalar)\b\s*\(?\s*|[\\(]\s*)\0(?=\s*(?:[;,)=}]|$))/,
        as: '%s',
      },
    ],
  },
  {
    programs: /^(?:python|pypy|ruby|jruby)/,
    rules: [
      { pattern: new RegExp(String.raw`${STRING}\s*%\s*[\w([{'"]`, 's'), as: '"%s" % …' },
      { pattern: /\{[\w.()[\]]*:[^{}"']*\0[^{}"']*\}/, as: '"{:%s}"' },
      { pattern: new RegExp(String.raw`\blog\w*\.\w+\(\s*${STRING}\s*,`, 's'), as: 'logging.info("%s", …)' },
    ],
  },
  {
    programs: /^(?:node|nodejs|bun|deno)/,
    rules: [{ pattern: new RegExp(String.raw`\b(?:console|util)\.\w+\(\s*${STRING}\s*,`, 's'), as: 'console.log("%s", …)' }],
  },
  {
    programs: /^(?:lua|luajit|tclsh|expect)/,
    rules: [
      { pattern: new RegExp(String.raw`\bos\.date\(\s*${STRING}`, 's'), as: 'os.date("%s")' },
      { pattern: new RegExp(String.raw`\(\s*${STRING}\s*\)\s*:\s*format\b`, 's'), as: '("%s"):format(…)' },
      { pattern: /(?:\bformat\s+|-format\s+)["{]?[^"{}\0]*\0/, as: 'format %s' },
    ],
  },
  // With % as the separator.
  { programs: /^g?sed$/, rules: [{ pattern: /(?:^|[;{}\s\d$/,!])s(?:%.*\0|\0.*%)/s, as: 's%s…' }] },
];
