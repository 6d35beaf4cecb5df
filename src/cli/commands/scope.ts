import type { Command } from 'commander';

/** Fails as wrong usage unless either a name or `--all` was given; undefined stands for all. */
export function scopeOf(command: Command, name: string | undefined, all: boolean | undefined): string | undefined {
  if ((name !== undefined) === (all === true)) command.error('expected either a name or --all');
  return name;
}
