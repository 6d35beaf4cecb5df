import { printable } from '../../core/printable.ts';

/** What is to become a transient unit of systemd's. */
export interface TransientUnit {
  /** The unit's full name. */
  readonly unit: string;
  /** For people: what `systemctl status` and the journal show; any text. */
  readonly description: string;
  /** `NAME=VALUE` each (systemd.service(5), systemd.exec(5)); all of them known to systemd 239. */
  readonly properties: readonly string[];
  /** The program, by absolute path, and its arguments. Anybody may read them. */
  readonly argv: readonly string[];
}

/**
 * The arguments that make systemd-run(1) start the unit; `options` come first. Properties go over the bus as they are, and
 * specifiers (`%n`) mean nothing there; variables in the arguments would be expanded by systemd itself before any shell saw
 * them, so each `$` is doubled.
 */
export function systemdRunArgv({ unit, description, properties, argv }: TransientUnit, options: readonly string[]): string[] {
  return [
    '--no-ask-password',
    ...options,
    `--unit=${unit}`,
    `--description=${printable(description).slice(0, MAX_DESCRIPTION)}`,
    ...properties.map((property) => `--property=${property}`),
    '--',
    // By a function: as plain text `$$` would stand for one.
    ...argv.map((argument) => argument.replaceAll('$', () => '$$')),
  ];
}

/** Program and arguments that run `argv` with this environment and nothing else: neither systemd's variables nor ours. */
export function withEnvironment(environment: Readonly<Record<string, string>>, argv: readonly string[]): string[] {
  return ['/usr/bin/env', '-i', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), ...argv];
}

const MAX_DESCRIPTION = 200;
