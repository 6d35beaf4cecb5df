// Reads which proxy a URL check uses.
import type { SectionReader } from '../../../../core/config.ts';
import { type Proxies, parseProxy } from '../../../../probes/url/proxy.ts';

/** `none`; `environment`: that of the daemon's environment; else the URL of a proxy, which may hold a password. */
export type ProxyChoice = 'none' | 'environment' | { readonly url: string };

/** Reads `proxy`; problems go to the reader, without the value. */
export function parseProxyChoice(section: SectionReader): ProxyChoice {
  const text = section.secret('proxy') ?? '';
  const word = text.toLowerCase();
  if (word === '' || word === 'environment') return 'environment';
  if (word === 'none') return 'none';
  if (/^http:\/\//i.test(text) && parseProxy(text) !== undefined) return { url: text };
  section.problem('proxy', 'invalid value, expected environment, none, or a proxy, http://HOST:PORT');
  return 'environment';
}

/**
 * The proxies to use now. Of the environment the names in small letters count first; HTTP_PROXY does not count, because a web server may set
 * it from a header of a request. Source: curl(1).
 */
export function proxiesOf(choice: ProxyChoice, env: Readonly<Record<string, string | undefined>>): Proxies | undefined {
  if (choice === 'none') return undefined;
  if (choice !== 'environment') return { http: choice.url, https: choice.url, except: '' };
  const all = env.all_proxy || env.ALL_PROXY;
  const http = env.http_proxy || all || undefined;
  const https = env.https_proxy || env.HTTPS_PROXY || all || undefined;
  if (http === undefined && https === undefined) return undefined;
  return { http, https, except: env.no_proxy ?? env.NO_PROXY ?? '' };
}
