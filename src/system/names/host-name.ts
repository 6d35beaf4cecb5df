import { domainToASCII } from 'node:url';

/**
 * `name` as DNS and nss know it: letters of other scripts in Punycode, as Node itself asks for them, a dot at the end kept. Undefined
 * for what is no name of a host: empty, too long, or with other characters than letters, digits, `-`, `_` and dots between them.
 */
export function asciiHostName(name: string): string | undefined {
  // Of a line break nothing would be left.
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
