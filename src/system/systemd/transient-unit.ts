import { printable } from '../../core/printable.ts';
import type { CallResult, Limit } from './dbus/connection.ts';
import { type DbusValue, Variant } from './dbus/values.ts';
import { type Pid1Link, unitPath } from './link.ts';
import { hasJob, numberOf, type Properties, readProperties, textOf } from './properties.ts';

/** What is to become a transient service of systemd's. */
export interface TransientUnit {
  /** The unit's full name. */
  readonly unit: string;
  /** For people: what `systemctl status` and the journal show; any text. Anybody may read it. */
  readonly description: string;
  /** The program, by absolute path, and its arguments. Anybody may read them. */
  readonly argv: readonly string[];
  /** Run by systemd once it has ended, whoever lives then; its failure does not count. Anybody may read it. */
  readonly stopPost?: readonly string[] | undefined;
  readonly properties: TransientProperties;
  /** Open descriptors for standard input, output and error, the caller's still; the journal where absent. */
  readonly descriptors: { readonly input: number; readonly output?: number; readonly error?: number };
}

/** Those of systemd.service(5), systemd.exec(5) and systemd.kill(5) that are used here; systemd 239 has all of them. */
export interface TransientProperties {
  readonly collectMode?: 'inactive-or-failed';
  readonly killMode?: 'process';
  readonly remainAfterExit?: boolean;
  /** RuntimeMaxSec=. */
  readonly runtimeMaxMs?: number;
  /** TimeoutStopSec=. */
  readonly timeoutStopMs?: number;
  readonly syslogIdentifier?: string;
}

/** How a start went: `taken`: another unit bears the name; `unknown`: systemd may have carried it out, or do so yet. */
export type TransientStart =
  | { readonly kind: 'started' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Starts the unit; resolves when PID 1 has taken it, not when it has ended. Never rejects.
 * Source: org.freedesktop.systemd1(5), StartTransientUnit().
 */
export async function startTransient(link: Pid1Link, unit: TransientUnit, limit: Limit): Promise<TransientStart> {
  const { input, output, error } = unit.descriptors;
  const descriptors = [input, output, error].filter((fd) => fd !== undefined);
  const properties = propertiesOf(unit, descriptors);
  return startOf(
    await link.call(
      {
        member: 'StartTransientUnit',
        signature: 'ssa(sv)a(sa(sv))',
        values: [unit.unit, 'fail', properties, []],
        descriptors,
      },
      limit,
    ),
  );
}

function propertiesOf(
  { description, argv, stopPost, properties, descriptors: { input, output, error } }: TransientUnit,
  descriptors: readonly number[],
): DbusValue[] {
  const list: DbusValue[] = [];
  const set = (name: string, signature: string, value: DbusValue | undefined): void => {
    if (value !== undefined) list.push([name, new Variant(signature, value)]);
  };
  const place = (fd: number | undefined): number | undefined => (fd === undefined ? undefined : descriptors.indexOf(fd));
  const { collectMode, killMode, remainAfterExit, runtimeMaxMs, timeoutStopMs, syslogIdentifier } = properties;
  set('Description', 's', unitText(printable(description).slice(0, MAX_DESCRIPTION)));
  set('CollectMode', 's', collectMode);
  set('KillMode', 's', killMode);
  set('RemainAfterExit', 'b', remainAfterExit);
  // systemd would have SIGPIPE ignored, which is not what a program expects that a shell has started.
  set('IgnoreSIGPIPE', 'b', false);
  set('RuntimeMaxUSec', 't', runtimeMaxMs && microseconds(runtimeMaxMs));
  set('TimeoutStopUSec', 't', timeoutStopMs && microseconds(timeoutStopMs));
  set('SyslogIdentifier', 's', syslogIdentifier && unitText(syslogIdentifier));
  set('StandardInputFileDescriptor', 'h', place(input));
  if (output === undefined) set('StandardOutput', 's', 'journal');
  if (error === undefined) set('StandardError', 's', 'journal');
  set('StandardOutputFileDescriptor', 'h', place(output));
  set('StandardErrorFileDescriptor', 'h', place(error));
  set('ExecStart', 'a(sasb)', [execution(argv, false)]);
  set('ExecStopPost', 'a(sasb)', stopPost && [execution(stopPost, true)]);
  return list;
}

const MAX_DESCRIPTION = 200;

/** A text that can stand in a unit file, which systemd makes of it: a line that ends with a backslash goes on in the next. */
function unitText(text: string): string {
  return text.replace(/\\+$/, '');
}

function execution(argv: readonly string[], ignoreFailure: boolean): DbusValue {
  // systemd itself would expand variables before any shell saw them. By a function: as plain text `$$` would stand for one.
  return [argv[0] ?? '', argv.map((argument) => argument.replaceAll('$', () => '$$')), ignoreFailure];
}

function microseconds(ms: number): bigint {
  return BigInt(Math.max(Math.ceil(ms), 1)) * 1000n;
}

function startOf(result: CallResult): TransientStart {
  switch (result.kind) {
    case 'reply':
      return { kind: 'started' };
    case 'error':
      return result.name === UNIT_EXISTS ? { kind: 'taken' } : { kind: 'refused', reason: result.message };
    case 'lost':
      return { kind: 'unknown', reason: `the connection to systemd was lost: ${result.reason}` };
    case 'no_answer':
      return { kind: 'unknown', reason: 'systemd does not answer' };
    case 'aborted':
      return { kind: 'unknown', reason: 'aborted' };
    default:
      return result satisfies never;
  }
}

const UNIT_EXISTS = 'org.freedesktop.systemd1.UnitExists';

/** What a transient service has come to so far. */
export interface TransientState {
  /** Empty before anything is known of it. */
  readonly activeState: string;
  /** `success`, `exit-code`, `signal`, `timeout` … */
  readonly result: string;
  /** 0 before it has one, and after its end. */
  readonly mainPid: number;
  /** How its main process ended: one of CLD_EXITED and its siblings (waitid(2)), 0 while it has not. */
  readonly code: number;
  /** Its exit code or signal. */
  readonly status: number;
  /** 128 bits in hexadecimal; empty where not told. */
  readonly invocation: string;
}

/** Follows one transient service through the signals of a link. */
export class TransientFollower {
  readonly #link: Pid1Link;
  readonly #unit: string;
  readonly #values = new Map<string, DbusValue>();
  readonly #stops: (() => void)[];
  #wake = (): void => {};
  /** Changes that were told so far. */
  #heard = 0;

  /** What is told from now on is not missed; what was before, `ask` tells. */
  constructor(link: Pid1Link, unit: string) {
    this.#link = link;
    this.#unit = unit;
    this.#stops = [
      link.onUnit(unitPath(unit), ({ interface: owner, values }) => {
        this.#heard++;
        for (const [name, value] of values) this.#values.set(name, value);
        // Each change comes in two halves, this one last: between them what is known does not belong together.
        if (owner === UNIT) this.#wake();
      }),
      link.onLost(() => this.#wake()),
    ];
  }

  get state(): TransientState {
    return stateOf(this.#values);
  }

  /** False once the link has ended: nothing more will be told. */
  get isTold(): boolean {
    return this.#link.isOpen;
  }

  /** Resolves at the next change, at the end of the link, or when `limit` is over. Never rejects. */
  next({ timeoutMs, signal }: Limit): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', settle);
        resolve();
      };
      const timer = setTimeout(settle, Math.min(Math.max(timeoutMs, 0), MAX_TIMER_MS));
      signal?.addEventListener('abort', settle, { once: true });
      this.#wake = settle;
      if (signal?.aborted || !this.#link.isOpen) settle();
    });
  }

  /**
   * Asks how it stands: after a link was lost, or where not everything may have been told. `gone`: systemd has no such unit any
   * more, or what it has is nothing but the file of one that it has forgotten while it was executed anew.
   */
  async ask(limit: Limit): Promise<'known' | 'gone' | 'unknown'> {
    const heard = this.#heard;
    const shown = await readProperties(this.#link, this.#unit, STATE_PROPERTIES, limit);
    // What was told meanwhile may be newer than the answers: both can come in one read.
    if (this.#heard !== heard && isOver(this.state)) return 'known';
    if (shown.kind === 'failed') return 'unknown';
    const { activeState, code } = stateOf(shown.values);
    const isAtRest = activeState === 'inactive' && code === 0 && !hasJob(shown.values);
    if (isAtRest || textOf(shown.values, 'LoadState') === 'not-found') return 'gone';
    if (this.#heard !== heard) return this.ask(limit);
    for (const [name, value] of shown.values) this.#values.set(name, value);
    return 'known';
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }
}

const MAX_TIMER_MS = 2 ** 31 - 1;
const UNIT = 'org.freedesktop.systemd1.Unit';
const STATE_PROPERTIES = {
  Unit: ['LoadState', 'ActiveState', 'Job', 'InvocationID'],
  Service: ['Result', 'MainPID', 'ExecMainCode', 'ExecMainStatus'],
} as const;

function stateOf(values: Properties): TransientState {
  const invocation = values.get('InvocationID');
  return {
    activeState: textOf(values, 'ActiveState'),
    result: textOf(values, 'Result'),
    mainPid: numberOf(values, 'MainPID'),
    code: numberOf(values, 'ExecMainCode'),
    status: numberOf(values, 'ExecMainStatus'),
    invocation: Buffer.isBuffer(invocation) ? invocation.toString('hex') : '',
  };
}

/** True once it is over and its ExecStopPost= has run. The first that is told of a unit says `inactive` before it has begun. */
export function isOver({ activeState, code }: TransientState): boolean {
  return activeState === 'failed' || (activeState === 'inactive' && code !== 0);
}
