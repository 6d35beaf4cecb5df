// The check `type = url`: a request for a URL is answered as it has to be.
import type { CheckType } from '../check.ts';
import { readingOf } from './away.ts';
import { withFiles } from './url/files.ts';
import { parseUrlOptions, URL_KEYS, type UrlOptions } from './url/options.ts';
import { proxiesOf } from './url/proxy.ts';

/** `[check.NAME]` with `type = url`. Its keys `header.NAME` are not in `keys`: there is one for any NAME. */
export const urlCheck = {
  keys: URL_KEYS,
  secretKeys: ['body', 'auth_password', 'proxy'],
  parse: parseUrlOptions,
  create: (options, _check, { worker }) => ({
    description: `url ${options.shownUrl}`,
    look: async (timeoutMs, signal) => {
      const ready = withFiles(options);
      if (ready.kind === 'unreadable') return { kind: 'unknown', reason: ready.reason };
      const work = { ...ready.work, proxies: proxiesOf(options.proxy, process.env) };
      return readingOf(await worker.ask(work, timeoutMs, signal), options.work.certificateDays);
    },
  }),
} satisfies CheckType<UrlOptions>;
