/**
 * The path of /proc/PID/cgroup: of systemd's own hierarchy, where there is one beside the unified (cgroups(7)), else of that.
 * Undefined where neither is there.
 */
export function parseCgroup(text: string): string | undefined {
  let unified: string | undefined;
  // Lines are ID:CONTROLLERS:PATH; line breaks in a path are escaped by the kernel.
  for (const line of text.split('\n')) {
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    if (first < 1 || second < 0) continue;
    const controllers = line.slice(first + 1, second);
    if (controllers === 'name=systemd') return line.slice(second + 1);
    if (controllers === '') unified = line.slice(second + 1);
  }
  return unified;
}

/**
 * The unit of the system's manager that a cgroup path lies in: `nginx.service`, `session-1.scope`, for everything that a user's
 * own manager started `user@1000.service`. Undefined outside of any. Source: systemd's cg_path_get_unit().
 */
export function unitOfCgroup(path: string): string | undefined {
  for (const part of path.split('/').slice(1)) {
    // systemd puts this before names that the kernel could take for its own.
    const name = part.startsWith('_') ? part.slice(1) : part;
    if (!name.endsWith('.slice')) return UNIT.test(name) ? name : undefined;
  }
  return undefined;
}

const UNIT = /^[\w:.\\@-]+\.(?:service|scope|socket|mount|swap)$/;
