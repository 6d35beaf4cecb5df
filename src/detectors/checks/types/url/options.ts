// Reads the keys of `type = url`.
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import type { SectionReader } from '../../../../core/config.ts';
import { sendable } from '../../../../probes/expected-text.ts';
import { parseBody, parseStatus } from '../../../../probes/http-options.ts';
import { type JsonExpectation, parseJsonExpectation } from '../../../../probes/url/json.ts';
import { bareHost } from '../../../../probes/url/proxy.ts';
import type { UrlWork } from '../../../../probes/url/work.ts';
import { parseAuth } from './auth.ts';
import { parseHeaders } from './headers.ts';
import { type ProxyChoice, parseProxyChoice } from './proxy.ts';

/** The keys that name files. */
export type FileKey = 'body_file' | 'auth_password_file' | 'ca_file' | 'client_cert' | 'client_key';

/** What to look at, without what is in files. */
export interface UrlOptions {
  /** Without user, password and query. */
  readonly shownUrl: string;
  readonly work: UrlWork;
  /** Absolute paths by the keys that name them. */
  readonly files: ReadonlyMap<FileKey, string>;
  readonly user: string | undefined;
  readonly proxy: ProxyChoice;
}

const JSON_KEYS = ['expect_json', ...[2, 3, 4, 5, 6, 7, 8, 9].map((n) => `expect_json.${n}`)];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;

/** All keys except `header.NAME`. */
export const URL_KEYS: readonly string[] = [
  'url',
  'method',
  'body',
  'body_file',
  'auth_user',
  'auth_password',
  'auth_password_file',
  'status',
  'expect_body',
  'reject_body',
  ...JSON_KEYS,
  'max_response_time',
  'redirects',
  'tls',
  'ca_file',
  'client_cert',
  'client_key',
  'certificate_days',
  'ip',
  'proxy',
];

/** Reads the keys of this type; problems go to the reader. Undefined if there is no URL, or none that can be used. */
export function parseUrlOptions(section: SectionReader): UrlOptions | undefined {
  const url = parseUrl(section);
  const method = section.choice('method', METHODS, 'GET');
  const auth = parseAuth(section, url);
  // It may hold a password.
  const body = section.secret('body') || undefined;
  if (body !== undefined && section.text('body_file') !== undefined)
    section.problem('body_file', 'body is set too: only one of them can be');
  const wanted = {
    headers: parseHeaders(section),
    status: parseStatus(section, 'status'),
    expectBody: sendable(parseBody(section, 'expect_body')),
    rejectBody: sendable(parseBody(section, 'reject_body')),
    expectJson: JSON_KEYS.flatMap((key) => parseJson(section, key)),
    mostMs: section.secondsAsMs('max_response_time', { default: 0, min: 0, max: 3600 }),
    redirects: section.integer('redirects', { default: 5, min: 0, max: 20 }),
    verify: section.choice('tls', ['verify', 'off'], 'verify') === 'verify',
    certificateDays: section.integer('certificate_days', { default: 14, min: 0, max: 3650 }),
    family: ({ any: 0, '4': 4, '6': 6 } as const)[section.choice('ip', ['any', '4', '6'], 'any')],
  };
  if (method === 'HEAD') for (const key of ['expect_body', 'reject_body', ...JSON_KEYS]) refuseForHead(section, key);
  const files = parseFiles(section);
  const proxy = parseProxyChoice(section);
  if (files.has('client_cert') !== files.has('client_key')) {
    section.problem(files.has('client_cert') ? 'client_cert' : 'client_key', 'client_cert and client_key are needed together');
  }
  if (url === undefined) return undefined;
  const version = isIP(bareHost(url));
  if (version !== 0 && wanted.family !== 0 && version !== wanted.family) {
    section.problem('ip', `the host of the URL is an IPv${version} address`);
  }
  const none = { proxies: undefined, ca: undefined, clientCert: undefined, clientKey: undefined } as const;
  const packed = body === undefined ? undefined : Buffer.from(body).toString('base64');
  const work: UrlWork = { type: 'url', url: bare(url), method, body: packed, auth: auth.header, ...none, ...wanted };
  return { shownUrl: `${url.origin}${url.pathname}`, work, files, user: auth.user, proxy };
}

/** The URL with its user and password. */
function parseUrl(section: SectionReader): URL | undefined {
  const text = section.text('url');
  if (text === undefined) {
    section.refuse('url', 'is missing: type = url needs a url, http://HOST[:PORT][/PATH] or https://…');
    return undefined;
  }
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  // The URL itself stays out of the message: it may hold a password.
  if (url === null) section.problem('url', 'invalid URL: expected http://HOST[:PORT][/PATH] or https://…');
  return url ?? undefined;
}

function bare(url: URL): string {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  copy.hash = '';
  return copy.href;
}

function parseJson(section: SectionReader, key: string): JsonExpectation[] {
  const text = section.text(key);
  if (text === undefined) return [];
  const parsed = parseJsonExpectation(text);
  if (parsed.kind === 'parsed') return [parsed.expectation];
  section.problem(key, `invalid value, ${parsed.problem} (status = ok, length(items) > 3, exists(data.id))`);
  return [];
}

function refuseForHead(section: SectionReader, key: string): void {
  if (section.text(key) !== undefined) section.problem(key, 'an answer to HEAD has no body');
}

function parseFiles(section: SectionReader): Map<FileKey, string> {
  const files = new Map<FileKey, string>();
  for (const key of ['body_file', 'auth_password_file', 'ca_file', 'client_cert', 'client_key'] as const) {
    const path = section.text(key);
    if (path === undefined) continue;
    if (isAbsolute(path)) files.set(key, path);
    else section.problem(key, 'invalid value, expected an absolute path');
  }
  return files;
}
