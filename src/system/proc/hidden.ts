import { numbersAfter, valueAfter } from './counters.ts';
import { ProcFiles } from './files.ts';

/**
 * Why this /proc does not show us the processes of other users, in one line; undefined if it does, or if that is unknown. The
 * reason is that it is mounted with hidepid= and we have neither CAP_SYS_PTRACE nor the group that gid= allows to see all (0,
 * root's own, if there is no gid=). Source: proc(5), mount options.
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
  return `/proc is mounted with hidepid=${options.get('hidepid')} and shows no processes of other users: grant CAP_SYS_PTRACE`;
}

/** The options of the file system that is mounted at /proc; if several are mounted over each other, the last one is visible. */
function procOptions(mounts: string): ReadonlyMap<string, string> {
  let options = '';
  for (const line of mounts.split('\n')) {
    // ID PARENT DEVICE ROOT PLACE OPTIONS [TAGS] - TYPE SOURCE SUPER-OPTIONS; blanks in names are escaped.
    const [mount = '', system = ''] = line.split(' - ', 2);
    if (mount.split(' ')[4] === '/proc') options = system.startsWith('proc ') ? (system.split(' ')[2] ?? '') : '';
  }
  return new Map(options.split(',').map((option) => option.split('=', 2) as [string, string]));
}

/** The values of hidepid=, by number before Linux 5.8 and by name since. */
const HIDING: Readonly<Record<string, 'listed' | 'ptraceable'>> = {
  1: 'listed',
  noaccess: 'listed',
  2: 'listed',
  invisible: 'listed',
  4: 'ptraceable',
  ptraceable: 'ptraceable',
};
/** Bit 19 of the lower 32 capabilities (capability.h). */
const CAP_SYS_PTRACE = 1 << 19;
const MOUNTS_LIMIT = 1024 * 1024;
