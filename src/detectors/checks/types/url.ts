// The check `type = url`: a request for a URL is answered as it has to be.
import type { CheckType } from '../check.ts';
import { readingOf } from './away.ts';
import { withFiles } from './url/files.ts';
import { parseUrlOptions, URL_KEYS, type UrlOptions } from './url/options.ts';

/** `[check.NAME]` with `type = url`. Its keys `header.NAME` are not in `keys`: there is one for any NAME. */
export const urlCheck = {
  keys: URL_KEYS,
  secretKeys: ['body', 'auth_password'],
  parse: parseUrlOptions,
  create: (options, _check, { worker }) => ({
    description: `url ${options.shownUrl}`,
    look: async (timeoutMs, signal) => {
      const work = withFiles(options);
      return work.kind === 'unreadable'
        ? { kind: 'unknown', reason: work.reason }
        : readingOf(await worker.ask(work.work, timeoutMs, signal));
    },
  }),
} satisfies CheckType<UrlOptions>;
