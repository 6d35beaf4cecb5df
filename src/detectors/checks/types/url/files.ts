// Reads the files of a URL check: the worker may read none.
import type { UrlWork } from '../../../../probes/url/work.ts';
import { readFileNow } from '../../../../system/files/read-file-now.ts';
import type { FileKey, UrlOptions } from './options.ts';

/** The work with all that it needs, as the files are now; or which of them cannot be read, in one line. */
export function withFiles({
  work,
  files,
  user,
}: UrlOptions): { readonly kind: 'ready'; readonly work: UrlWork } | { readonly kind: 'unreadable'; readonly reason: string } {
  const bytes = new Map<FileKey, Buffer>();
  for (const [key, path] of files) {
    const read = readFileNow(key, path);
    if (read.kind === 'unreadable') return read;
    bytes.set(key, read.bytes);
  }
  const text = (key: FileKey): string | undefined => bytes.get(key)?.toString('utf8');
  // Editors end a file with a line break, which is not part of the password.
  const password = text('auth_password_file')?.replace(/\r?\n$/, '');
  return {
    kind: 'ready',
    work: {
      ...work,
      body: bytes.get('body_file')?.toString('base64') ?? work.body,
      auth: password === undefined ? work.auth : `${user ?? ''}:${password}`,
      ca: text('ca_file'),
      clientCert: text('client_cert'),
      clientKey: text('client_key'),
    },
  };
}
