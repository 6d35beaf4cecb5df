/**
 * What every command finds in its environment: PATH, HOME, LANG, USER, LOGNAME, and TZ where it is set. Nothing else of our own
 * environment is passed on: it may hold secrets (environ(7)).
 */
export function minimalEnvironment(): Record<string, string> {
  const { HOME, USER, LANG, TZ } = process.env;
  const isRoot = process.getuid?.() === 0;
  const user = USER ?? (isRoot ? 'root' : undefined);
  return {
    PATH: USUAL_PATH,
    HOME: HOME ?? (isRoot ? '/root' : '/'),
    LANG: LANG ?? 'C.UTF-8',
    ...(user === undefined ? {} : { USER: user, LOGNAME: user }),
    ...(TZ === undefined ? {} : { TZ }),
  };
}

/** Where programs are looked for by whoever has no PATH: folders that every distribution has, `:` between them. */
export const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
