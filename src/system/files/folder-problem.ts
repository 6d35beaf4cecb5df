import { dirname } from 'node:path';
import { quoted } from '../../core/text/printable.ts';
import { hostStat } from './host-path.ts';

/**
 * Why a folder cannot be used, in one line; undefined if it can, or if that is unknown. `needed`: the folder has to be `there`,
 * or it is `made`, with its parents, if it is missing.
 */
export function folderProblem(folder: string, needed: 'there' | 'made'): string | undefined {
  const stat = hostStat(folder);
  if (stat === 'unknown' || (stat !== 'none' && stat.isDirectory())) return undefined;
  if (stat !== 'none') return `${quoted(folder)} is not a folder`;
  if (needed === 'there') return `${quoted(folder)} is not there (expected a folder)`;
  const above = dirname(folder);
  return above === folder ? undefined : folderProblem(above, 'made');
}
