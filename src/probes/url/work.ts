// What has to be looked at by a request for a URL.
import type { ExpectedText } from '../expected-text.ts';
import type { StatusRange } from '../http.ts';
import type { JsonExpectation } from './json.ts';
import type { Proxies } from './proxy.ts';

/** A request, and what its answer must be. */
export interface UrlWork {
  readonly type: 'url';
  /** http or https, without user and password. */
  readonly url: string;
  readonly method: string;
  /** Sent besides our own, in place of those of ours that have the same name. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** In base64. */
  readonly body: string | undefined;
  /** `USER:PASSWORD`. */
  readonly auth: string | undefined;
  readonly status: readonly StatusRange[];
  readonly expectBody: ExpectedText | undefined;
  readonly rejectBody: ExpectedText | undefined;
  readonly expectJson: readonly JsonExpectation[];
  /** The longest time to the end of the answer, all redirects included; 0: any. */
  readonly mostMs: number;
  /** How many redirects are followed; 0: a redirect is the answer. */
  readonly redirects: number;
  /** Whether certificates are verified. */
  readonly verify: boolean;
  /** The authorities that are trusted, in place of the usual ones: PEM. */
  readonly ca: string | undefined;
  /** Our own certificate and its key: PEM. */
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
  /** A certificate that ends within so many days is a warning; 0: never. */
  readonly certificateDays: number;
  /** Which addresses of the host are used; 0: all. */
  readonly family: 0 | 4 | 6;
  /** Undefined: none. */
  readonly proxies: Proxies | undefined;
}
