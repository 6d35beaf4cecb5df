// Reads what ping(8) writes.
/** What the packets of one run of ping did. */
interface PingCount {
  /** At least 1. */
  readonly sent: number;
  /** At most `sent`. */
  readonly received: number;
  /** The average of the answers, in milliseconds; undefined if there were none. */
  readonly averageMs: number | undefined;
}

/**
 * The summary of `ping -q`, of iputils or BusyBox, in English; undefined if there is none. A packet that this machine could not send says
 * nothing about the other side: its error is returned as `unsent`.
 */
export function readPing(output: string): PingCount | { readonly unsent: string } | undefined {
  const [, unsent] = /^ping: send\w+: (.{1,100})$/m.exec(output) ?? [];
  if (unsent !== undefined) return { unsent };
  const [, sent, received] = /^(\d{1,6}) packets transmitted, (\d{1,6}) (?:packets )?received\b/m.exec(output) ?? [];
  const [, average] =
    /^(?:rtt|round-trip) min\/avg\/max(?:\/mdev)? = [\d.]{1,20}\/(\d{1,10}(?:\.\d{1,10})?)\//m.exec(output) ?? [];
  if (sent === undefined || Number(sent) === 0) return undefined;
  return {
    sent: Number(sent),
    received: Math.min(Number(received), Number(sent)),
    averageMs: average === undefined ? undefined : Number(average),
  };
}
