import { followStatus } from '../../src/app/status-line.ts';

/** The line of `systemctl status`, as it is now. */
export function statusLine(core: Parameters<typeof followStatus>[0]): string {
  let now = '';
  followStatus(core, {
    status: (line) => {
      now ||= line;
    },
  });
  return now;
}
