import { simpleCommands } from './simple-commands.ts';

/**
 * Whether a variable in place of each match of `pattern` (a global one) would be expanded there, or would stay as written
 * because it is in single quotes; each is true if it applies to at least one place. What only an inner shell expands stays.
 */
export function variablePlaces(text: string, pattern: RegExp): { readonly expanded: boolean; readonly kept: boolean } {
  const written = text.replaceAll(pattern, `\${${NAME}}`);
  const words = simpleCommands(written, { [NAME]: VALUE }).flatMap((command) => [...command.words, ...command.targets]);
  return {
    expanded: words.some((word) => word.includes(VALUE)),
    kept: words.some((word) => word.includes(`\${${NAME}}`)),
  };
}

const NAME = 'MONITOR_SYSTEM_NAME';
/** No command contains it. */
const VALUE = '\u0001';
