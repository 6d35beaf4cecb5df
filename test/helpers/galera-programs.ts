import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, findServer } from './mariadb-programs.ts';

/** Why there can be no Galera node here, for `skipUnless`; undefined where there can. */
export function galeraProblem(): string | undefined {
  const missing = [
    ['mariadbd', findServer()],
    ['libgalera_smm.so', galeraLibrary()],
    ['wsrep_sst_rsync', sstFolder()],
    ['rsync', findProgram('rsync')],
  ].flatMap(([name, found]) => (found === undefined ? [name] : []));
  return missing.length === 0 ? undefined : `no Galera: ${missing.join(', ')} missing (.ci/setup-tests installs them)`;
}

/** Path of what makes a server a node; undefined where it is missing. */
export function galeraLibrary(): string | undefined {
  const places = [
    '/usr/lib/galera/libgalera_smm.so',
    '/usr/lib64/galera/libgalera_smm.so',
    '/usr/lib64/galera-4/libgalera_smm.so',
  ];
  return places.find((place) => existsSync(place));
}

/**
 * Where the scripts are by which one node sends its state to another: in PATH, or where `.ci/setup-tests` puts them;
 * undefined where they are missing.
 */
export function sstFolder(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/local/lib/galera-sst'];
  return folders.find((folder) => existsSync(join(folder, 'wsrep_sst_rsync')));
}
