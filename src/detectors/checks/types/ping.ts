// The check `type = ping`: a host answers ping(8).
import { randomUUID } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { shownText } from '../../../config/shown-value.ts';
import type { SectionReader } from '../../../core/config.ts';
import { counted } from '../../../core/text/counted.ts';
import { configuredSeconds } from '../../../core/text/duration.ts';
import { printable } from '../../../core/text/printable.ts';
import { asciiHostName } from '../../../system/names/host-name.ts';
import { type CommandResult, commandFailure, NO_COMMAND } from '../../../system/spawn/command-result.ts';
import type { CheckType, Reading } from '../check.ts';
import { readPing } from './ping/output.ts';

/** The keys of `type = ping`. */
interface PingOptions {
  /** `address`: a host name in ASCII or an address. Only letters, digits, `_`, `.`, `:`, `%` and `-`, which is not its first character. */
  readonly host: string;
  /** `packets`: default 3, 1 to 20. */
  readonly packets: number;
  /** `max_loss_percent`: how many of them may get no answer; default 0, at most 99. */
  readonly mostLost: number;
  /** `max_response_time`: for the average of the answers; 0: any. */
  readonly mostMs: number;
}

/** `[check.NAME]` with `type = ping`. The system's ping is run as a command is: it needs raw sockets, which neither we nor the worker have. */
export const pingCheck: CheckType<PingOptions> = {
  keys: ['address', 'packets', 'max_loss_percent', 'max_response_time'],
  parse,
  create: (options, { name }, { commands }) => ({
    description: `ping ${options.host}`,
    look: async (timeoutMs, signal) => {
      const command = {
        line: pingLine(options, timeoutMs),
        kind: 'check',
        runId: `check-${randomUUID()}`,
        description: `ping of check ${name}`,
        environment: { LC_ALL: 'C' },
        timeoutMs,
      } as const;
      return judge(await commands.run(command, signal), options);
    },
  }),
};

function parse(section: SectionReader): PingOptions | undefined {
  const text = section.text('address');
  const host = text === undefined ? undefined : pingHost(text);
  if (text === undefined) section.refuse('address', 'is missing: type = ping needs an address, a host name or an IP address');
  else if (host === undefined)
    section.problem('address', `invalid value "${shownText(text, LONGEST_SHOWN)}", expected a host name or an IP address`);
  const packets = section.integer('packets', { default: 3, min: 1, max: 20 });
  const mostLost = section.integer('max_loss_percent', { default: 0, min: 0, max: 99 });
  const mostMs = section.secondsAsMs('max_response_time', { default: 0, min: 0, max: 3600 });
  const timeoutMs = section.secondsAsMs('timeout', { default: 5, min: 0.1, max: 300 });
  const neededMs = packets * PAUSE_MS + SHORTEST_WAIT_MS;
  if (timeoutMs < neededMs) {
    const words = `is too short for ${counted(packets, 'packet', 'packets')}`;
    section.warning('timeout', `${words}: a host that does not answer is unknown then (expected at least ${neededMs / 1000})`);
  }
  return host === undefined ? undefined : { host, packets, mostLost, mostMs };
}

const LONGEST_SHOWN = 60;

/** `text` in ASCII, if it is a host and one plain word for a shell; else undefined. */
function pingHost(text: string): string | undefined {
  const host = isIP(text) === 0 ? asciiHostName(text) : text;
  // ping would take 127.1 for an address.
  const isFlawed = host === undefined || (/^[\d.]+$/.test(host) && !isIPv4(host));
  return isFlawed || !/^[\w:][\w.:%-]*$/.test(host) ? undefined : host;
}

/** With -w instead of -W ping would send more packets than these if one is lost. Neither takes fractions everywhere. */
function pingLine({ host, packets }: PingOptions, timeoutMs: number): string {
  const wait = Math.max(Math.floor((timeoutMs - packets * PAUSE_MS) / 1000), 1);
  return `exec ping -n -q -c ${packets} -i ${PAUSE_MS / 1000} -W ${wait} -- ${host}`;
}

/** The least that ping allows to everybody. */
const PAUSE_MS = 200;
const SHORTEST_WAIT_MS = 1000;

function judge(result: CommandResult, { packets, mostLost, mostMs }: PingOptions): Reading {
  const unknown = (reason: string): Reading => ({ kind: 'unknown', reason });
  if (result.kind !== 'exited') return unknown(short(commandFailure(result) ?? 'ping has not ended'));
  if (NO_COMMAND.includes(result.exitCode)) return unknown(`ping is not installed (exit code ${result.exitCode})`);
  const count = readPing(result.output);
  if (count === undefined) return unknown(short(commandFailure(result) ?? 'what ping wrote cannot be understood'));
  if ('unsent' in count) return unknown(printable(`a packet could not be sent: ${count.unsent}`));
  const { sent, received, averageMs } = count;
  const failing = (reason: string): Reading => ({ kind: 'failing', reason });
  if (received === 0) return failing(`no answer to ${counted(packets, 'packet', 'packets')}`);
  const lost = (100 * (sent - received)) / sent;
  if (lost > mostLost) return failing(`${sent - received} of ${sent} packets lost (expected at most ${mostLost}%)`);
  if (mostMs === 0) return { kind: 'ok' };
  if (averageMs === undefined) return unknown('ping does not say how long the answers took');
  if (averageMs <= mostMs) return { kind: 'ok' };
  return failing(`the answers took ${configuredSeconds(averageMs)} on average (expected at most ${configuredSeconds(mostMs)})`);
}

function short(reason: string): string {
  return reason.slice(0, LONGEST_REASON).toWellFormed();
}

const LONGEST_REASON = 500;
