/**
 * The environment of every command: PATH, HOME, LANG, USER, LOGNAME, and TZ if it is set. Nothing else of our own environment
 * is passed on: it may contain secrets (environ(7)).
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

/** The folders in which programs are searched if there is no PATH, separated by `:`; every distribution has them. */
export const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
