import { InvalidArgumentError } from 'commander';

/** Reads the name of a process for commander: not empty, and no longer than the daemon accepts. */
export function nameArgument(name: string): string {
  if (name === '') throw new InvalidArgumentError('It is empty.');
  if (name.length > 1024) throw new InvalidArgumentError('It is too long.');
  return name;
}
