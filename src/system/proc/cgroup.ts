/**
 * Parses the path in /proc/PID/cgroup: that of systemd's own hierarchy if there is one beside the unified (cgroups(7)), else
 * that of the unified one. Undefined if there is neither.
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
 * The unit of the system manager that a cgroup path belongs to: `nginx.service`, `session-1.scope`; `user@1000.service` for
 * everything that a user's own manager started. Undefined if it belongs to none. Source: systemd's cg_path_get_unit().
 */
export function unitOfCgroup(path: string): string | undefined {
  return unitPlaceOf(path)?.unit;
}

/**
 * The cgroup of the unit that a cgroup path belongs to, if that unit contains a program of its own, so that its limits apply to
 * the program: a service, or a scope that is not a session; not a user's own manager, nor PID 1's. Undefined otherwise.
 */
export function unitFolderOf(path: string): string | undefined {
  const place = unitPlaceOf(path);
  return place !== undefined && OWN_UNIT.test(place.unit) ? place.folder : undefined;
}

const OWN_UNIT = /^(?!user@|session-|init\.scope$).*\.(?:service|scope)$/;

function unitPlaceOf(path: string): { readonly unit: string; readonly folder: string } | undefined {
  const parts = path.split('/');
  for (const [index, part] of parts.entries()) {
    // systemd puts this prefix before names that the kernel could take for its own files.
    const name = part.startsWith('_') ? part.slice(1) : part;
    if (index === 0 || name.endsWith('.slice')) continue;
    return UNIT.test(name) ? { unit: name, folder: parts.slice(0, index + 1).join('/') } : undefined;
  }
  return undefined;
}

const UNIT = /^[\w:.\\@-]+\.(?:service|scope|socket|mount|swap)$/;
