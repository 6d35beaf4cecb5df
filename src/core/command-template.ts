import type { ManagedProcess } from './alarm.ts';
import { quoted, unseenIn } from './printable.ts';

/** A command line ready for a shell, or why it must not be run. */
export type ExpandedCommand =
  | { readonly kind: 'ready'; readonly line: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * `template` with every `%s` replaced by the system name (which is the process name where none is configured). A name that
 * could mean anything to a shell is never put into the text: only letters and digits of any script and `_ @ + : . , = -`, not
 * starting with `-` or `.`; a `/` only where the name comes from the configuration. Nor is one that holds what is not seen: it looks
 * like another name, and without that it would be that other name. Source: seed 000, hardened.
 */
export function expandCommand(template: string, process: ManagedProcess): ExpandedCommand {
  if (!template.includes('%s')) return { kind: 'ready', line: template };
  const allowed = process.systemNameConfigured ? CONFIGURED_NAME : DATABASE_NAME;
  // Some of it counts as a letter (U+3164) or a mark (U+FE0F).
  const unseen = unseenIn(process.systemName);
  if (unseen !== undefined || !allowed.test(process.systemName)) {
    const why = unseen === undefined ? '' : ` (it holds ${unseen}, which is not seen)`;
    return {
      kind: 'refused',
      reason: `the name ${quoted(process.systemName)} cannot stand for %s in a command${why}: set system_name, or use "$MONITOR_PROCESS_NAME" instead of %s`,
    };
  }
  return { kind: 'ready', line: template.replaceAll('%s', () => process.systemName) };
}

const DATABASE_NAME = /^[\p{L}\p{N}_@+:,=][\p{L}\p{M}\p{N}_@+:.,=-]*$/u;
const CONFIGURED_NAME = /^[\p{L}\p{N}_@+:,=/][\p{L}\p{M}\p{N}_@+:.,=/-]*$/u;

/** The variables a command finds beside the minimal environment: data, for `"$MONITOR_PROCESS_NAME"`. */
export function commandEnvironment(process: ManagedProcess, attempt: number): Record<string, string> {
  return {
    MONITOR_PROCESS_NAME: process.processName,
    MONITOR_SYSTEM_NAME: process.systemName,
    MONITOR_PROCESS_ID: process.processId ?? '0',
    MONITOR_ATTEMPT: String(attempt),
  };
}
