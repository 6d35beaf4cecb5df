import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Why there can be no server here, for `skipUnless`; undefined where there is one, installed if need be. */
export function mariadbProblem(): string | undefined {
  try {
    ensureMariadb();
    return undefined;
  } catch (error) {
    return `no MariaDB: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
}

/** Path of the server, which is installed (apt-get or dnf) where there is none and we are root; throws where that cannot be. */
export function ensureMariadb(): string {
  const found = findServer();
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0) throw new Error('neither mariadbd nor mysqld is here, and only root may install it');
  install();
  const installed = findServer();
  if (installed === undefined) throw new Error('neither mariadbd nor mysqld is here after installing it');
  return installed;
}

/** Path of mariadbd, else mysqld; undefined where neither is installed. */
export function findServer(): string | undefined {
  return findProgram('mariadbd') ?? findProgram('mysqld');
}

/** What makes a data folder for `server`; root needs no password there. */
export function newDataCommand(server: string, folder: string): [string, ...string[]] {
  const data = `--datadir=${folder}`;
  const installer = findProgram('mariadb-install-db') ?? findProgram('mysql_install_db');
  if (installer === undefined)
    return [server, '--no-defaults', '--initialize-insecure', data, ...asUser(), ...ownPlace(folder)];
  const account = ['--auth-root-authentication-method=normal', '--skip-test-db'];
  return [installer, '--no-defaults', data, ...account, ...asUser(), ...QUICK, ...ownPlace(folder)];
}

/** What runs `server` on such a folder, by root as `user`; further options may follow. */
export function serverCommand(server: string, folder: string, user = 'root'): [string, ...string[]] {
  return [server, '--no-defaults', `--datadir=${folder}`, ...asUser(user), ...QUICK, ...ownPlace(folder)];
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

/** What makes a server start fast and small. Commits survive SIGKILL, and need not survive a power cut. */
const QUICK = [
  '--innodb-flush-method=nosync',
  '--innodb-flush-log-at-trx-commit=2',
  '--innodb-doublewrite=0',
  '--innodb-buffer-pool-size=8M',
  '--innodb-log-file-size=4M',
  '--innodb-fast-shutdown=2',
  '--performance-schema=OFF',
];

/** Temporary tables lie beside the data: in a common folder each server takes those of the others away when it starts. */
function ownPlace(folder: string): string[] {
  return [`--tmpdir=${dirname(folder)}`];
}

/** The server refuses to run as root unless it is told so. */
function asUser(user = 'root'): string[] {
  return process.getuid?.() === 0 ? [`--user=${user}`] : [];
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
