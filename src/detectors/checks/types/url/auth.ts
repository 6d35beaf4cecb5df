// Reads user and password of a URL check.
import type { SectionReader } from '../../../../core/config.ts';

/** `header`: `USER:PASSWORD`; undefined if there is none, or if the password is in a file. */
interface Auth {
  readonly user: string | undefined;
  readonly header: string | undefined;
}

/** Reads `auth_user` and `auth_password`, or what is in the URL; problems go to the reader, without the values. */
export function parseAuth(section: SectionReader, url: URL | undefined): Auth {
  const user = section.text('auth_user');
  const password = section.secret('auth_password') || undefined;
  const hasFile = section.text('auth_password_file') !== undefined;
  if (user?.includes(':')) section.problem('auth_user', 'invalid value, no colon can be part of it');
  if (password !== undefined && hasFile)
    section.problem('auth_password_file', 'auth_password is set too: only one of them can be');
  if (user === undefined && (password !== undefined || hasFile)) {
    section.problem(hasFile ? 'auth_password_file' : 'auth_password', 'it needs auth_user');
  }
  const inUrl = url === undefined || url.username + url.password === '' ? undefined : urlAuth(section, url);
  if (inUrl !== undefined && user !== undefined)
    section.problem('auth_user', 'the URL has a user too: only one of them can be');
  if (user === undefined) return { user, header: inUrl };
  return { user, header: hasFile ? undefined : `${user}:${password ?? ''}` };
}

function urlAuth(section: SectionReader, { username, password }: URL): string | undefined {
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    section.problem('url', 'invalid URL: a % in user or password that does not begin a %XX must be written %25');
    return undefined;
  }
}
