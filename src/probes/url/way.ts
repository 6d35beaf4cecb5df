// How a request gets to its host: directly, or through a proxy.
import type { RequestOptions } from 'node:https';
import type { SecureContext } from 'node:tls';
import { knownAddresses } from '../../system/names/connect.ts';
import type { NameResolver } from '../../system/names/resolver.ts';
import { findHost } from '../find-host.ts';
import type { Answer } from '../worker/answer.ts';
import { bareHost, type HttpProxy, proxyFor } from './proxy.ts';
import { openTunnel, proxyFault, proxyHeaders } from './tunnel.ts';
import type { UrlWork } from './work.ts';

/** How a request is sent. */
export interface RequestLimits extends Pick<UrlWork, 'verify' | 'certificateDays' | 'family' | 'proxies'> {
  readonly names: NameResolver;
  readonly leftMs: () => number;
  readonly signal: AbortSignal;
}

/** A way to the host. */
interface Way {
  readonly kind: 'way';
  /** For http or https; they do not say what is sent. */
  readonly options: RequestOptions;
  /** Headers that the request needs on this way. */
  readonly headers: Readonly<Record<string, string>>;
  /** Who answers in place of the host, and may not pass the request on; undefined: nobody. */
  readonly proxy: HttpProxy | undefined;
}

/** Finds the way for a request; if there is none, returns why, or undefined once `signal` aborts. Never rejects. */
export async function wayTo(
  url: URL,
  secureContext: SecureContext | undefined,
  { verify, family, proxies, names, leftMs, signal }: RequestLimits,
): Promise<Way | Answer | undefined> {
  const proxy = proxyFor(url, proxies);
  if (proxy === 'unusable') return { kind: 'unknown', reason: 'the proxy is not of the form http://HOST:PORT' };
  const host = proxy?.host ?? url.hostname;
  const found = await findHost(names, host, leftMs(), signal);
  if (signal.aborted) return undefined;
  const words = (reason: string): string => (proxy === undefined ? reason : proxyFault(proxy, reason));
  if (found.kind === 'not_proved') return { kind: 'unknown', reason: words(`${found.reason}: ${found.detail}`) };
  if (found.kind !== 'found') return undefined;
  const addresses = found.addresses.filter((one) => family === 0 || one.family === family);
  if (addresses.length === 0) return { kind: 'unknown', reason: words(`${host} has no IPv${family} address`) };
  const lookup = knownAddresses(addresses);
  // Stated explicitly: an environment variable can turn it off.
  const tls = { rejectUnauthorized: verify, ...(secureContext === undefined ? {} : { secureContext }) };
  if (proxy === undefined) return { kind: 'way', options: { agent: false, lookup, ...tls }, headers: {}, proxy: undefined };
  if (url.protocol === 'http:') {
    const { host: hostname, port } = proxy;
    const options = { agent: false, lookup, hostname, port, path: `${url.origin}${url.pathname}${url.search}` };
    return { kind: 'way', options, headers: { Host: url.host, ...proxyHeaders(proxy) }, proxy };
  }
  const tunnel = await openTunnel(url, proxy, { addresses, leftMs, signal });
  if (tunnel.kind === 'unknown') return tunnel;
  const { connect } = await import('node:tls');
  const name = bareHost(url);
  const server = /^[\d.]+$|:/.test(name) ? { host: name } : { host: name, servername: name };
  const createConnection = () => connect({ socket: tunnel.socket, ...server, ...tls });
  return { kind: 'way', options: { createConnection }, headers: {}, proxy: undefined };
}
