import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';

/** Plugins of a MariaDB server that no package brings without a service: ed25519 and PAM. */
const WANTED = ['auth_ed25519.so', 'auth_pam_v1.so'];

/**
 * The folder in which they are: the server's own, or `dir`, into which they are unpacked from Debian's package of the server, which is
 * not installed. Throws where they are not to be had.
 */
export function mariadbPlugins(dir: string): string {
  const own = ['/usr/lib/mysql/plugin', '/usr/lib64/mysql/plugin', '/usr/lib64/mariadb/plugin'];
  const found = own.find((folder) => WANTED.every((file) => existsSync(join(folder, file))));
  if (found !== undefined) return found;
  const run = (program: string, ...args: readonly string[]): void =>
    void execFileSync(program, args, { cwd: dir, stdio: 'pipe', timeout: 120_000 });
  // As nobody else it may not write here.
  run('apt-get', '-qq', '-o', 'APT::Sandbox::User=root', 'download', 'mariadb-server');
  const [archive] = globSync(join(dir, 'mariadb-server_*.deb'));
  if (archive === undefined) throw new Error('apt-get has downloaded no mariadb-server');
  run('dpkg-deb', '-x', archive, dir);
  return join(dir, 'usr/lib/mysql/plugin');
}
