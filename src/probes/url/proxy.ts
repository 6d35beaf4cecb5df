// Which proxy a request goes through.
import { BlockList, isIP, isIPv6 } from 'node:net';
import { hostPortName } from '../../core/text/host-port.ts';

/** The proxies of a check, as curl(1) reads them from the environment. */
export interface Proxies {
  /** For http, and for https: `http://[USER:PASSWORD@]HOST[:PORT]`, `HOST[:PORT]`, or something that cannot be used; undefined: none. */
  readonly http: string | undefined;
  readonly https: string | undefined;
  /** Hosts, domains and networks that are asked directly, separated by commas or blanks; `*`: all. */
  readonly except: string;
}

/** A proxy that can be used. */
export interface HttpProxy {
  /** An IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** For people, without user and password: `proxy.example.org:3128`. */
  readonly name: string;
  /** The header Proxy-Authorization; undefined: none. */
  readonly authorization: string | undefined;
}

/** The proxy for a request; undefined: none; `unusable` if it is not one that we can speak to. */
export function proxyFor(url: URL, proxies: Proxies | undefined): HttpProxy | 'unusable' | undefined {
  const text = url.protocol === 'https:' ? proxies?.https : proxies?.http;
  if (proxies === undefined || text === undefined || isExcepted(bareHost(url), proxies.except)) return undefined;
  return parseProxy(text) ?? 'unusable';
}

/** Reads `http://[USER:PASSWORD@]HOST[:PORT]`, or the same without `http://`; undefined if it is something else. */
export function parseProxy(text: string): HttpProxy | undefined {
  const url = URL.parse(/^[\w+.-]+:\/\//.test(text) ? text : `http://${text}`);
  if (url === null || url.protocol !== 'http:' || url.hostname === '' || url.pathname !== '/' || url.search + url.hash !== '')
    return undefined;
  const place = { host: bareHost(url), port: url.port === '' ? HTTP_PORT : Number(url.port) };
  try {
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    const authorization = login === ':' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
    return { ...place, name: hostPortName(place), authorization };
  } catch {
    // A % that begins no %XX.
    return undefined;
  }
}

const HTTP_PORT = 80;

/** The host of a URL, an IPv6 address without its brackets. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function isExcepted(host: string, except: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return except
    .toLowerCase()
    .split(/[\s,]+/)
    .some((one) => {
      if (one === '') return false;
      if (one === '*') return true;
      if (isIP(name) !== 0) return isInNetwork(name, one.replace(/^\[(.*)\]/, '$1'));
      const domain = one.replace(/^\./, '').replace(/\.$/, '');
      return name === domain || name.endsWith(`.${domain}`);
    });
}

/** `network`: an address, or one with the number of its first bits that count (`192.0.2.0/24`). */
function isInNetwork(address: string, network: string): boolean {
  const [base = '', bits] = network.split('/');
  const family = (one: string) => (isIPv6(one) ? 'ipv6' : 'ipv4');
  const most = isIPv6(base) ? 128 : 32;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (isIP(base) === 0 || family(base) !== family(address) || !(length <= most)) return false;
  const list = new BlockList();
  list.addSubnet(base, length, family(base));
  return list.check(address, family(address));
}
