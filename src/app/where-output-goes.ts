import type { LaunchRecord } from '../core/program/launch-record.ts';
import { shellWord } from '../core/text/typed-command.ts';
import type { RunningNow } from './running-now.ts';

/**
 * Where the output of a process can be read: a command, a file's path, or `nowhere`. Taken from its standard output and error
 * if it runs, else from its unit, else from its launch record; null: not known.
 */
export function whereOutputGoes(
  now: Pick<RunningNow, 'unit' | 'outputs'> | undefined,
  record: LaunchRecord | undefined,
): string | null {
  const [output, error] = now?.outputs ?? [];
  const { unit } = now ?? {};
  if (output !== undefined || error !== undefined) return bothOf(placeOf(output, unit), placeOf(error, unit));
  if (unit !== undefined) return journalOf(unit);
  const { standardOutput, standardError } = record?.surroundings ?? {};
  return bothOf(standardOutput, standardError);
}

function bothOf(output: string | undefined, error: string | undefined): string | null {
  if (output === undefined || error === undefined || output === error) return output ?? error ?? null;
  return `${output}, errors ${error}`;
}

/** The place behind a descriptor's path (proc_pid_fd(5)). */
function placeOf(path: string | undefined, unit: string | undefined): string | undefined {
  if (path === undefined || path === '/dev/null') return path && 'nowhere (/dev/null)';
  // The socket of a service is the journal's, unless the service was given its own.
  if (path.startsWith('socket:')) return unit === undefined ? undefined : journalOf(unit);
  if (path.startsWith('pipe:')) return 'a pipe to another program';
  if (/^\/dev\/(pts\/|tty|console)/.test(path)) return `a terminal (${path})`;
  return path.startsWith('/') ? path : undefined;
}

function journalOf(unit: string): string {
  return `journalctl -u ${shellWord(unit)}`;
}
