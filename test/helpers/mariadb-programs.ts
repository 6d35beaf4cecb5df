import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

/** Why there can be no server here, for `skipUnless`; undefined where there is one, installed if need be. */
export function mariadbProblem(): string | undefined {
  try {
    ensureMariadb();
    return undefined;
  } catch (error) {
    return `no MariaDB: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
}

/** Installs a server from the distribution (apt-get or dnf) where there is none and we are root; throws where that cannot be. */
export function ensureMariadb(): void {
  if (findServer() !== undefined) return;
  if (process.getuid?.() !== 0) throw new Error('neither mariadbd nor mysqld is here, and only root may install it');
  install();
  if (findServer() === undefined) throw new Error('neither mariadbd nor mysqld is here after installing it');
}

/** Path of mariadbd, else mysqld; undefined where neither is installed. */
export function findServer(): string | undefined {
  return findProgram('mariadbd') ?? findProgram('mysqld');
}

/** Path of a program in PATH or where servers live. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/libexec', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The server alone, without the package that would run it as a service, where the distribution has the two apart. */
function install(): void {
  const run = (program: string, args: readonly string[]): void => {
    execFileSync(program, args, { stdio: 'pipe', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  };
  if (existsSync('/usr/bin/apt-get')) {
    run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'update', '-qq']);
    const packages = ['mariadb-server-core', 'mariadb-client-core'];
    run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '-qq', '--no-install-recommends', ...packages]);
  } else {
    run('dnf', ['install', '-y', '-q', 'mariadb-server', 'mariadb']);
  }
}
