import { execFileSync } from 'node:child_process';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { missing, skipUnless } from './requirement.ts';
import { tempDir } from './temp-dir.ts';

/** What a program in a mount namespace of its own is to find in /etc. */
export interface OwnNames {
  /** Lines of resolv.conf. */
  readonly resolv: readonly string[];
  /** Of nsswitch.conf: the sources of hosts; `nss` stands for the test's own (fixtures/names/nss.c). */
  readonly sources: string;
  /** Lines of hosts. */
  readonly hosts?: readonly string[];
}

/** A module of the system's in whose place that of the test may stand; undefined where there is none. */
const module = globSync('/{usr/,}lib{64,/*}/libnss_{hesiod,compat}.so.2')[0];

/** Why a program cannot be given names of its own here, for a test's options. */
export const ownNamesNeed = {
  skip:
    missing('unshare') ||
    missing('cc') ||
    skipUnless(process.geteuid?.() === 0 ? undefined : 'needs root') ||
    skipUnless(module === undefined ? 'no module of nsswitch.conf whose place could be taken' : undefined),
};

/** What stands before a command line so that the program finds these names. */
export function withOwnNames(t: TestContext, { resolv, sources, hosts = [] }: OwnNames): readonly string[] {
  const dir = tempDir(t);
  const own = join(dir, 'nss.so');
  const name = /libnss_(\w+)\.so/.exec(module ?? '')?.[1] ?? '';
  const source = join(import.meta.dirname, '../fixtures/names/nss.c');
  execFileSync('cc', ['-shared', '-fPIC', `-DMODULE=${name}`, '-o', own, source]);
  const file = (called: string, lines: readonly string[]): string => {
    writeFileSync(join(dir, called), lines.map((line) => `${line}\n`).join(''));
    return join(dir, called);
  };
  const mounts = [
    [file('resolv.conf', resolv), '/etc/resolv.conf'],
    [file('nsswitch.conf', ['passwd: files', 'group: files', `hosts: ${sources.replace('nss', name)}`]), '/etc/nsswitch.conf'],
    [file('hosts', ['127.0.0.1 localhost', ...hosts]), '/etc/hosts'],
    [own, module ?? ''],
  ].filter(([, place]) => existsSync(place ?? ''));
  const script = [...mounts.map(([from, to]) => `mount --bind ${from} ${to}`), 'exec "$@"'].join(' && ');
  return ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', script, 'sh'];
}
