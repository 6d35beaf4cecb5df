import { numbersAfter, valueAfter } from './counters.ts';
import { ProcFiles } from './files.ts';

/**
 * Why this /proc does not show us the processes of other users, in one line; undefined where it does, or where that cannot be told.
 * It is so where it is mounted with hidepid= and we have neither CAP_SYS_PTRACE nor the group that gid= lets see all (0 where there
 * is no gid=, so root's own). Source: proc(5), mount options.
 */
export function hiddenProcesses(files: Pick<ProcFiles, 'text' | 'longText'> = new ProcFiles('/proc')): string | undefined {
  const options = procOptions(files.longText('self/mountinfo', MOUNTS_LIMIT)?.text ?? '');
  const mode = HIDING[options.get('hidepid') ?? ''];
  const status = files.text('self/status');
  if (mode === undefined || status === undefined) return undefined;
  const capabilities = Number.parseInt(valueAfter(status, 'CapEff:')?.trim().slice(-8) ?? '', 16);
  if (Number.isNaN(capabilities) || (capabilities & CAP_SYS_PTRACE) !== 0) return undefined;
  const groups = [numbersAfter(status, 'Gid:')[3], ...numbersAfter(status, 'Groups:')];
  if (mode !== 'ptraceable' && groups.includes(Number(options.get('gid') ?? 0))) return undefined;
  return `/proc is mounted with hidepid=${options.get('hidepid')} and shows no processes of other users: give CAP_SYS_PTRACE`;
}

/** The options of what is mounted at /proc; of several, one over the other, the last is what is seen. */
function procOptions(mounts: string): ReadonlyMap<string, string> {
  let options = '';
  for (const line of mounts.split('\n')) {
    // ID PARENT DEVICE ROOT PLACE OPTIONS [TAGS] - TYPE SOURCE SUPER-OPTIONS; blanks in names are escaped.
    const [mount = '', system = ''] = line.split(' - ', 2);
    if (mount.split(' ')[4] === '/proc') options = system.startsWith('proc ') ? (system.split(' ')[2] ?? '') : '';
  }
  return new Map(options.split(',').map((option) => option.split('=', 2) as [string, string]));
}

/** What hidepid= may be, by its number before Linux 5.8 and by its name since. */
const HIDING: Readonly<Record<string, 'listed' | 'ptraceable'>> = {
  1: 'listed',
  noaccess: 'listed',
  2: 'listed',
  invisible: 'listed',
  4: 'ptraceable',
  ptraceable: 'ptraceable',
};
/** Of the lower 32 capabilities, bit 19 (capability.h). */
const CAP_SYS_PTRACE = 1 << 19;
const MOUNTS_LIMIT = 1024 * 1024;
