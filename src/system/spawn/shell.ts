import { accessSync, constants } from 'node:fs';

/** The shell that runs lines: bash, or sh where there is none. */
export function shellPath(): string {
  return BASH_PATHS.find(isExecutable) ?? '/bin/sh';
}

const BASH_PATHS = ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'] as const;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
