import { simpleCommands } from './simple-commands.ts';

/**
 * Whether a variable that stands in a command in the place of what `pattern` matches (a global one) becomes its value there, or stays as
 * it is written, for it stands in single quotes; each true if it does so in one place at least. What only an inner shell expands stays.
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
/** No command holds it. */
const VALUE = '\u0001';
