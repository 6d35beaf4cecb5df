// Command templates: `%s` stands for the process's name.
import type { ManagedProcess } from './alarm.ts';
import type { PreviewedCommand } from './outcomes.ts';
import { variablePlaces } from './shell/variable-places.ts';
import { invisibleIn, quoted } from './text/printable.ts';

/** A command line that is ready for a shell, or why it must not be run. */
type ExpandedCommand =
  | { readonly kind: 'ready'; readonly line: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * `template` with every `%s` replaced by the system name (the process name if none is configured), and every `%%s` by the text
 * `%s`. Only the `%` directly before a `%s` is removed: `%%%s` is the text `%%s`; `${f%%.*}` and `date +%%Y` stay as they are.
 * A name that a shell could interpret is never inserted: it may only have letters of any script with their combining marks,
 * digits and `_ @ + : . , = -`, and may not start with `-` or `.`; a `/` is allowed only if the name is configured. A name with
 * invisible characters is refused too: it looks like another name, and without those characters it would be that other name.
 * A template in which no `%s` stands for the name is ready whatever the name is. Source: the bash service, hardened.
 */
export function expandCommand(template: string, process: ManagedProcess): ExpandedCommand {
  if (!needsName(template)) return { kind: 'ready', line: withName(template, '') };
  const allowed = process.systemNameConfigured ? CONFIGURED_NAME : DATABASE_NAME;
  // Some invisible characters count as a letter (U+3164) or a mark (U+FE0F).
  const invisible = invisibleIn(process.systemName);
  if (invisible !== undefined || !allowed.test(process.systemName)) {
    const why = invisible === undefined ? '' : ` (it holds ${invisible}, which is invisible)`;
    return {
      kind: 'refused',
      reason: `the name ${quoted(process.systemName)} cannot stand for %s in a command${why}: set system_name${variableHint(template)}`,
    };
  }
  return { kind: 'ready', line: withName(template, process.systemName) };
}

/** In single quotes a variable is not expanded. */
function variableHint(template: string): string {
  return variablePlaces(template, /(?<!%)%s/g).kept ? '' : ', or use "$MONITOR_PROCESS_NAME" instead of %s';
}

/** The command `key` as it would run, or why it must not run. */
export function previewCommand(
  key: string,
  template: string,
  process: ManagedProcess,
  limitMs: number | null,
  user: string | null = null,
): { readonly commands: readonly PreviewedCommand[]; readonly refusals: readonly string[] } {
  const expanded = expandCommand(template, process);
  if (expanded.kind === 'refused') return { commands: [], refusals: [`${key}: ${expanded.reason}`] };
  const name = needsName(template) ? process.systemName : null;
  return { commands: [{ key, line: expanded.line, name, limitMs, user }], refusals: [] };
}

/** Whether a `%s` in it stands for the name; `%%s` does not. */
export function needsName(template: string): boolean {
  return /(?<!%)%s/.test(template);
}

/** `template` with `name` for every `%s`, and `%s` for every `%%s`; the name is inserted as it is. */
export function withName(template: string, name: string): string {
  return template.replaceAll(PLACEHOLDER, (found) => (found === '%s' ? name : '%s'));
}

/** From the left: in `%%%s` it matches the last two `%`. */
const PLACEHOLDER = /%%s|%s/g;

// A mark belongs to the letter before it: many words of Hindi, Thai or Vietnamese need marks. To a shell they are only bytes,
// and invisible ones are refused before.
const LETTER = String.raw`[\p{L}\p{N}]\p{M}*`;
const DATABASE_NAME = new RegExp(`^(?:${LETTER}|[_@+:,=])(?:${LETTER}|[_@+:.,=-])*$`, 'u');
const CONFIGURED_NAME = new RegExp(`^(?:${LETTER}|[_@+:,=/])(?:${LETTER}|[_@+:.,=/-])*$`, 'u');

/** The variables that a command gets in addition to the minimal environment: data, for `"$MONITOR_PROCESS_NAME"`. */
export function commandEnvironment(process: ManagedProcess, attempt: number): Record<string, string> {
  return {
    MONITOR_PROCESS_NAME: process.processName,
    MONITOR_SYSTEM_NAME: process.systemName,
    MONITOR_PROCESS_ID: process.processId ?? '0',
    MONITOR_ATTEMPT: String(attempt),
  };
}
