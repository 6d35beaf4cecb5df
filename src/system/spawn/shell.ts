import { accessSync, constants } from 'node:fs';

/** Program and arguments that run `line`: bash, or sh where there is none. The line may start with `-` or `+`: it is no option. */
export function shellArgv(line: string): string[] {
  return [BASH_PATHS.find(isExecutable) ?? '/bin/sh', '-c', '--', line];
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
