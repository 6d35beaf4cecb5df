// Starts transient services of systemd.

import type { Surroundings } from '../../core/program/launch-record.ts';
import { printable } from '../../core/text/printable.ts';
import { callFailure } from './call-failure.ts';
import type { CallResult, Limit } from './dbus/connection.ts';
import { type DbusValue, Variant } from './dbus/values.ts';
import type { Pid1Link } from './link.ts';

/** The definition of a transient service. */
interface TransientUnit {
  /** The unit's full name. */
  readonly unit: string;
  /** For people: shown by `systemctl status` and the journal. Any text. Anybody may read it. */
  readonly description: string;
  /** The program by absolute path, and its arguments. Anybody may read them. */
  readonly argv: readonly string[];
  /** Run by systemd after the service has ended, even if we no longer run. Its failure does not count. Anybody may read it. */
  readonly stopPost?: readonly string[] | undefined;
  readonly properties: TransientProperties;
  /**
   * Open descriptors for standard input, output and error. They remain the caller's. If absent, the output goes to the journal.
   */
  readonly descriptors: { readonly input: number; readonly output?: number; readonly error?: number };
}

/** The properties of systemd.service(5), systemd.exec(5) and systemd.kill(5) that we use. systemd 239 has all of them that have a name here. */
export interface TransientProperties {
  readonly collectMode?: 'inactive-or-failed';
  readonly killMode?: 'process';
  readonly remainAfterExit?: boolean;
  /** RuntimeMaxSec=. */
  readonly runtimeMaxMs?: number;
  /** TimeoutStopSec=. */
  readonly timeoutStopMs?: number;
  readonly syslogIdentifier?: string;
  /** Set as LimitNOFILE=, UMask=, Nice=, MemoryMax=, TasksMax= and similar; the rest is not set by properties. */
  readonly surroundings?: Surroundings;
  /** Any others, set as they are. */
  readonly others?: readonly UnitProperty[];
}

/** A property of a unit, as org.freedesktop.systemd1(5) has it. */
export interface UnitProperty {
  readonly name: string;
  /** Of D-Bus. */
  readonly signature: string;
  readonly value: DbusValue;
}

/** The result of a start. `taken`: another unit has the name. `unknown`: systemd may have started it, or may still do so. */
export type TransientStart =
  | { readonly kind: 'started' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Starts the unit. Resolves when PID 1 has accepted it, not when it has ended. Never rejects. Source:
 * org.freedesktop.systemd1(5), StartTransientUnit().
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
  const {
    collectMode,
    killMode,
    remainAfterExit,
    runtimeMaxMs,
    timeoutStopMs,
    syslogIdentifier,
    surroundings = {},
    others = [],
  } = properties;
  set('Description', 's', unitText(printable(description).slice(0, MAX_DESCRIPTION)));
  set('CollectMode', 's', collectMode);
  set('KillMode', 's', killMode);
  set('RemainAfterExit', 'b', remainAfterExit);
  // systemd would ignore SIGPIPE, but a program that is usually started by a shell expects the default.
  set('IgnoreSIGPIPE', 'b', false);
  set('RuntimeMaxUSec', 't', runtimeMaxMs && microseconds(runtimeMaxMs));
  set('TimeoutStopUSec', 't', timeoutStopMs && microseconds(timeoutStopMs));
  set('SyslogIdentifier', 's', syslogIdentifier && unitText(syslogIdentifier));
  for (const [resource, { soft, hard }] of Object.entries(surroundings.limits ?? {})) {
    const name = `Limit${resource.toUpperCase()}`;
    // The first property of a kind sets both limits.
    set(name, 't', bound(hard));
    set(`${name}Soft`, 't', bound(soft));
  }
  set('UMask', 'u', surroundings.umask);
  set('Nice', 'i', surroundings.nice);
  set('MemoryMax', 't', surroundings.memoryMax === undefined ? undefined : BigInt(surroundings.memoryMax));
  set('TasksMax', 't', surroundings.tasksMax === undefined ? undefined : bound(String(surroundings.tasksMax)));
  for (const { name, signature, value } of others) set(name, signature, value);
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

/** Makes a text fit for a unit file, which systemd writes from it: a line that ends with a backslash continues in the next. */
function unitText(text: string): string {
  return text.replace(/\\+$/, '');
}

function execution(argv: readonly string[], ignoreFailure: boolean): DbusValue {
  // systemd itself would expand variables before any shell sees them. A function, because as plain text `$$` would stand for
  // one `$`.
  return [argv[0] ?? '', argv.map((argument) => argument.replaceAll('$', () => '$$')), ignoreFailure];
}

function microseconds(ms: number): bigint {
  return BigInt(Math.max(Math.ceil(ms), 1)) * 1000n;
}

function bound(limit: string): bigint {
  return limit === 'unlimited' ? UNLIMITED : BigInt(limit);
}

const UNLIMITED = 0xffff_ffff_ffff_ffffn;

function startOf(result: CallResult): TransientStart {
  switch (result.kind) {
    case 'reply':
      return { kind: 'started' };
    case 'error':
      return result.name === UNIT_EXISTS ? { kind: 'taken' } : { kind: 'refused', reason: callFailure(result) };
    default:
      return { kind: 'unknown', reason: callFailure(result) };
  }
}

const UNIT_EXISTS = 'org.freedesktop.systemd1.UnitExists';
