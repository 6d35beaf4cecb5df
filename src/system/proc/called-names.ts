import { basename } from 'node:path';
import { cutName } from '../../core/comm.ts';
import type { ProcessInfo } from './table.ts';

/** The fields that tell what a process may be called by. */
export const NAME_FIELDS = ['name', 'argv', 'executable', 'kernelThread'] as const;

/**
 * The last parts of all that a process may be called by, cut as the kernel cuts names: more than it is, never fewer. Who is not
 * among them need not be looked at closely. Of a login shell's `-bash` also without the dash.
 */
export function calledNames({ name, argv = [], executable = '' }: ProcessInfo<(typeof NAME_FIELDS)[number]>): string[] {
  const [first = '', second = '', third = ''] = argv;
  const paths = [name, executable, first, first.split(': ')[0] ?? '', second, third];
  return paths.flatMap((path) => [calledName(path), calledName(basename(path).replace(/^-/, ''))]);
}

/** A program's or unit's name or path as `calledNames` has it. */
export function calledName(path: string): string {
  return cutName(basename(path));
}
