// Finds `%s` in commands where it probably does not stand for the process's name.
import { needsName, withName } from '../core/command-template.ts';
import { type ExecutedProgram, executedPrograms } from '../core/shell/executed-programs.ts';
import type { ReadingBudget } from '../core/shell/reading-budget.ts';
import { variablePlaces } from '../core/shell/variable-places.ts';
import { formatCalls, MARK } from './format-calls.ts';
import { FORMAT_VARIABLES, type FormatRule, OWN_FORMATS, operandsOf, optionValues, ownArguments } from './own-formats.ts';

/**
 * The places in a command where `%s` belongs to a program's own format, although the process's name replaces it; each in the
 * form in which people write it, without any part of the command that may be secret: `date +%s`, `stat -c %s`,
 * `strftime("%s")`. [] if every `%s` may stand for the name. `budget`: see executedPrograms.
 */
export function ownFormats(template: string, budget?: ReadingBudget): string[] {
  if (!needsName(template)) return [];
  const text = withName(template, MARK);
  const { programs, assignments, writes } = executedPrograms(text, (name) => ruleOf(name) !== undefined, {}, budget);
  const found = [
    ...(REMAINDER.test(text) ? ['$((…%s…))'] : []),
    ...programs.flatMap(formatsOf),
    ...assignments.flatMap((assignment) => {
      const [name = '', value] = assignment.split('=', 2);
      if (value?.includes(MARK) !== true) return formatCalls(assignment, '');
      return FORMAT_VARIABLES.test(name) ? [`${name}=%s`] : formatCalls(value, '');
    }),
    ...writes
      .filter(({ words, target }) => /(?:^|\/)core_pattern$/.test(target) && words.some((word) => word.includes(MARK)))
      .map(() => 'core_pattern %s'),
  ];
  return [...new Set(found)];
}

/** The remainder operator of arithmetic: `$((n%step))`. */
const REMAINDER = /\(\((?:[^()\0]|\([^()]*\))*(?<=[\w)}\]])\0/;

/**
 * The places where `%%s` does not mean what it meant to the bash service, which made `%NAME` of it, if that may have been
 * intended: the wildcard of SQL's LIKE, and the shell's removal of a suffix. [] if it is most likely the text `%s`.
 */
export function oncePercentAndName(template: string): string[] {
  return ONCE_NAMES.filter(({ pattern }) => pattern.test(template)).map(({ as }) => as);
}

const ONCE_NAMES = [
  { pattern: /\blike\s+(?:'\\''|'"'"'|\\?["'])[^"']*%%s(?!\w)/i, as: "LIKE '%%s'" },
  { pattern: /\$\{[A-Za-z_]\w*%%s\}/, as: `\${NAME%%s}` },
];

const ONCE_PLACES = /%%s(?!\w)/g;

/** One line for people about what `oncePercentAndName` found in a template. In single quotes a variable is not expanded. */
export function describeOnceNames(found: readonly string[], template: string): string {
  const { expanded, kept } = variablePlaces(template, ONCE_PLACES);
  const written = [...(expanded || !kept ? ['%$MONITOR_SYSTEM_NAME'] : []), ...(kept ? ["%'%s' in single quotes"] : [])];
  return `%%s in ${found.join(' and ')} is the text %s; write ${written.join(', or ')} if a % and the process's name are meant`;
}

/** One line for people about what `ownFormats` found. */
export function describeOwnFormats(found: readonly string[]): string {
  const shown = found.slice(0, MOST_SHOWN);
  const more = found.length - shown.length;
  const what = shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
  const written = shown.map((one) => one.replaceAll('%s', '%%s')).join(', ');
  return `%s becomes the process's name in ${what} as well; write %%s if the program is to see %s (${written})`;
}

const MOST_SHOWN = 3;

function formatsOf(program: ExecutedProgram): string[] {
  const rule = ruleOf(program.name);
  const own = rule === undefined ? [] : formatsByRule(program, rule);
  return [...own, ...program.arguments.flatMap((word) => formatCalls(word, program.name))];
}

function formatsByRule({ name, arguments: all, takesMore }: ExecutedProgram, rule: FormatRule): string[] {
  const args = ownArguments(all, rule);
  const isOwn = (value: string | undefined, begins = ''): boolean => value?.startsWith(begins) === true && value.includes(MARK);
  const byOption = (rule.options ?? [])
    .filter((option) => optionValues(args, option).some((value) => isOwn(value, option.begins)))
    .map(({ option, begins = '' }) => `${name} ${option}${option.startsWith('--') ? '=' : ' '}${begins}%s`);
  return rule.operand !== undefined && isFormatOperand(operandsOf(args, rule.valued), rule.operand, takesMore)
    ? [...byOption, `${name} ${rule.operand.begins ?? ''}${rule.operand.begins === undefined ? "'%s'" : '%s'}`]
    : byOption;
}

function isFormatOperand(
  operands: readonly string[],
  { begins, needsMore }: NonNullable<FormatRule['operand']>,
  takesMore: boolean,
): boolean {
  if (begins !== undefined) return operands.some((word) => word.startsWith(begins) && word.includes(MARK));
  const [format = '', ...more] = operands;
  // `printf 'NAME restarted\n'` has no argument, so the name is meant; %(…)T prints the time without one.
  return format.includes(MARK) && (!needsMore || takesMore || more.length > 0 || format.includes(`%(${MARK})T`));
}

/** GNU programs may have a `g` before their name. */
function ruleOf(name: string): FormatRule | undefined {
  const known = [name, name.replace(/^g/, '')].find((one) => Object.hasOwn(OWN_FORMATS, one));
  return known === undefined ? undefined : OWN_FORMATS[known];
}
