import { InvalidArgumentError } from 'commander';

/** A process's name as commander reads it: not empty, and no longer than the daemon takes. */
export function nameArgument(name: string): string {
  if (name === '') throw new InvalidArgumentError('It is empty.');
  if (name.length > 1024) throw new InvalidArgumentError('It is too long.');
  return name;
}
