import type { ManagedProcess } from './alarm.ts';

/** A command line ready for a shell, or why it must not be run. */
export type ExpandedCommand =
  | { readonly kind: 'ready'; readonly line: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * `template` with every `%s` replaced by the system name (which is the process name where none is configured). A name that
 * could mean anything to a shell is never put into the text: only letters and digits of any script and `_ @ + : . , = -`, not
 * starting with `-` or `.`; a `/` only where the name comes from the configuration. Source: seed 000, hardened.
 */
export function expandCommand(template: string, process: ManagedProcess): ExpandedCommand {
  if (!template.includes('%s')) return { kind: 'ready', line: template };
  const allowed = process.systemNameConfigured ? CONFIGURED_NAME : DATABASE_NAME;
  if (!allowed.test(process.systemName)) {
    return {
      kind: 'refused',
      reason: `the name ${JSON.stringify(process.systemName)} cannot stand for %s in a command: set system_name, or use "$MONITOR_PROCESS_NAME" instead of %s`,
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
