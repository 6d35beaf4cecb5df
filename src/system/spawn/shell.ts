import { isExecutable } from '../files/executable.ts';

/** The shell that runs lines: bash, or sh if there is none. */
export function shellPath(): string {
  return BASH_PATHS.find(isExecutable) ?? '/bin/sh';
}

const BASH_PATHS = ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'] as const;
