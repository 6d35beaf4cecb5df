import { readFileSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Enclosure, missingPrograms, openEnclosure } from './enclosure.ts';

/** A running container whose PID 1 is systemd. The project stands in it, read-only, under `project`. */
export interface SystemdContainer extends Enclosure {
  /** Path of the project's folder inside. */
  readonly project: string;
  /** Path inside of the Node that runs the tests. */
  readonly node: string;
  /** Variables with which it need not compile in there what the tests out here have compiled; it writes nothing. */
  readonly compiled: Readonly<Record<string, string>>;
}

/** Why no such container can be booted here, in one line; undefined where it can. */
export function containerProblem(): string | undefined {
  if (process.geteuid?.() !== 0) return 'a container with systemd needs root';
  const missing = missingPrograms(['systemd-nspawn', 'dbus-daemon']);
  if (missing.length > 0) return `a container with systemd needs ${missing.join(', ')}`;
  if (!/^\S*\s*overlay$/m.test(readFileSync('/proc/filesystems', 'utf8'))) return 'a container with systemd needs overlayfs';
  return undefined;
}

/** Boots a container (some 0.5 s); throws with its console where it does not come up. It is gone once this process is, however it ends. */
export async function bootSystemdContainer(options: { readonly nspawn?: readonly string[] } = {}): Promise<SystemdContainer> {
  const bind = `--bind-ro=${join(import.meta.dirname, '../..')}:${PROJECT}`;
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd'];
  const enclosure = await openEnclosure('systemd-container.sh', [bind, ...(options.nspawn ?? [])], namespaces);
  const compiled = { NODE_COMPILE_CACHE: `${PROJECT}/${COMPILED}`, NODE_COMPILE_CACHE_PORTABLE: '1' };
  return { ...enclosure, project: PROJECT, node: pathInside(realpathSync(process.execPath)), compiled };
}

/** Not under /tmp or /var/tmp: those are emptied at boot. */
const PROJECT = '/srv/monitor_service';
/** As in the script `test` of package.json. */
const COMPILED = 'node_modules/.cache/tests';

function pathInside(path: string): string {
  const inProject = relative(realpathSync(join(import.meta.dirname, '../..')), path);
  return inProject.startsWith('..') ? path : join(PROJECT, inProject);
}
