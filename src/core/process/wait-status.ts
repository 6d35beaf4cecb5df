// Parses and words how a process ended.
import { constants } from 'node:os';

/** `exit code 3`, `signal SIGSEGV (core dumped)`; `unknown cause` if the status (as in wait(2)) is not known. */
export function describeWaitStatus(status: number | undefined): string {
  if (status === undefined) return 'unknown cause';
  const end = parseWaitStatus(status);
  if (end.kind === 'exited') return `exit code ${end.code}`;
  return `signal ${end.signal}${end.coreDumped ? ' (core dumped)' : ''}`;
}

/** How a process ended. */
type ProcessEnd =
  /** `code`: 0 to 255. */
  | { readonly kind: 'exited'; readonly code: number }
  /** `signal`: `SIGSEGV`; `SIGRTMIN+3`; `signal 99` if it has no name. */
  | { readonly kind: 'signaled'; readonly signal: string; readonly coreDumped: boolean };

/** The end that a wait status describes (wait(2): WIFEXITED and related macros). */
export function parseWaitStatus(status: number): ProcessEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { kind: 'exited', code: (status >> 8) & 0xff };
  return { kind: 'signaled', signal: signalName(signal), coreDumped: (status & 0x80) !== 0 };
}

/**
 * True for an end that systemd regards as success: exit code 0, SIGHUP, SIGINT, SIGTERM, SIGPIPE (systemd.service(5),
 * SuccessExitStatus=).
 */
export function isCleanEnd(status: number): boolean {
  const end = parseWaitStatus(status);
  return end.kind === 'exited' ? end.code === 0 : CLEAN.includes(end.signal);
}

const CLEAN: readonly string[] = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'];

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37; `signal 99` for a number without a name. */
export function signalName(number: number): string {
  const known = Object.entries(constants.signals).find(([, value]) => value === number);
  if (known !== undefined) return known[0];
  return number >= FIRST_REALTIME && number <= LAST_REALTIME ? `SIGRTMIN+${number - FIRST_REALTIME}` : `signal ${number}`;
}

/** The number of `TERM`, `RTMIN+3` or `99`, as systemd writes signals; undefined if it is not a signal. */
export function signalNumber(name: string): number | undefined {
  const [, above] = /^RTMIN\+(\d+)$/.exec(name) ?? [];
  if (above !== undefined) return FIRST_REALTIME + Number(above);
  if (/^\d+$/.test(name)) return Number(name);
  return constants.signals[`SIG${name}` as NodeJS.Signals] as number | undefined;
}

/** The signals that glibc and musl leave to programs (signal(7)). */
const FIRST_REALTIME = 34;
const LAST_REALTIME = 64;
