import { domainToASCII } from 'node:url';

/**
 * Converts `name` to the form that DNS and nss know: letters of other scripts in Punycode, as Node itself asks for them; a dot
 * at the end is kept. Undefined if it is not a host name: empty, too long, or with characters other than letters, digits, `-`,
 * `_` and dots between them.
 */
export function asciiHostName(name: string): string | undefined {
  // A line break would otherwise be dropped silently.
  if (/[\x00-\x20\x7f]/.test(name)) return undefined;
  const ascii = /^[\x21-\x7e]*$/.test(name) ? name : domainToASCII(name);
  const bare = ascii.replace(/\.$/, '');
  const isName = bare.length <= LONGEST_NAME && bare.split('.').every((label) => LABEL.test(label));
  return isName ? ascii : undefined;
}

/** In characters (RFC 1035). */
const LONGEST_NAME = 253;
const LABEL = /^[\w-]{1,63}$/;

/** True for `localhost` and all names below it, which mean this machine, whatever DNS says (RFC 6761). */
export function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}
