// The keys of the check of the type `host`.
import { DECIMAL } from '../../../../config/section-reader.ts';
import { shownText } from '../../../../config/shown-value.ts';
import type { SectionReader } from '../../../../core/config.ts';

/** The limits of `[check.NAME]` with `type = host`. What is undefined is not looked at (`off`). */
export interface HostOptions {
  /** Of one core, used by any process between two looks; default 80. */
  readonly cpuPercent: number | undefined;
  /** Of the machine's memory, used by any process; default 75. */
  readonly memoryPercent: number | undefined;
  /** `except`: names of programs that may use more than that. */
  readonly except: readonly string[];
  /** Of the space of each filesystem; default 85. */
  readonly diskPercent: number | undefined;
  /** Of the inodes of each filesystem; default 85. */
  readonly inodePercent: number | undefined;
  /** The load average of one minute, divided by the number of CPUs; default 4. */
  readonly loadPerCore: number | undefined;
  /** Of the swap space; default 60. */
  readonly swapPercent: number | undefined;
  /** Percent of the last minute in which something waited for memory (PSI, `some avg60`); default 20. */
  readonly memoryPressure: number | undefined;
  /** Of the files that the machine can open; default 80. */
  readonly openFilesPercent: number | undefined;
  /** How many zombies may be older than a minute; default 0. */
  readonly zombies: number | undefined;
  /** Whether each out-of-memory kill is reported; default true. */
  readonly oomKills: boolean;
  /** What may listen; empty: not looked at. */
  readonly listeners: readonly AllowedListener[];
  /** Absolute paths of the programs that may run as root; empty: not looked at. */
  readonly rootPrograms: readonly string[];
  /** The keys that the file has: what they ask for is unknown if this machine cannot tell it, and not left out. */
  readonly wanted: readonly string[];
}

/** A program that may listen on a TCP port. */
export interface AllowedListener {
  readonly port: number;
  /** Its name, as `process` of ss(8) shows it. */
  readonly program: string;
}

const PERCENTS = {
  cpu_percent: { default: 80, max: 1_000_000 },
  memory_percent: { default: 75, max: 100 },
  disk_percent: { default: 85, max: 100 },
  inode_percent: { default: 85, max: 100 },
  load_per_core: { default: 4, max: 10_000 },
  swap_percent: { default: 60, max: 100 },
  memory_pressure: { default: 20, max: 100 },
  open_files_percent: { default: 80, max: 100 },
  zombies: { default: 0, max: 1_000_000 },
} as const;

/** The keys of this type. */
export const HOST_KEYS = [...Object.keys(PERCENTS), 'oom_kills', 'except', 'listeners', 'root_programs'] as const;

/** Reads the keys; problems go to the reader. */
export function parseHost(section: SectionReader): HostOptions {
  const limit = (key: keyof typeof PERCENTS): number | undefined => parseLimit(section, key);
  const options = {
    cpuPercent: limit('cpu_percent'),
    memoryPercent: limit('memory_percent'),
    except: section.list('except'),
    diskPercent: limit('disk_percent'),
    inodePercent: limit('inode_percent'),
    loadPerCore: limit('load_per_core'),
    swapPercent: limit('swap_percent'),
    memoryPressure: limit('memory_pressure'),
    openFilesPercent: limit('open_files_percent'),
    zombies: limit('zombies'),
    oomKills: section.boolean('oom_kills', true),
    listeners: section.list('listeners').flatMap((text) => parseListener(section, text)),
    rootPrograms: section.list('root_programs').flatMap((text) => parseProgram(section, text)),
  };
  return { ...options, wanted: HOST_KEYS.filter((key) => section.has(key)) };
}

function parseLimit(section: SectionReader, key: keyof typeof PERCENTS): number | undefined {
  const { default: usual, max } = PERCENTS[key];
  const text = section.text(key);
  if (text === undefined) return usual;
  if (text.toLowerCase() === 'off') return undefined;
  const isCount = key === 'zombies';
  if ((isCount ? /^\d+$/ : DECIMAL).test(text) && Number(text) <= max) return Number(text);
  const expected = `${isCount ? 'a whole number' : 'a number'}, at most ${max}, or off`;
  section.problem(key, `invalid value "${shownText(text, LONGEST_SHOWN)}", expected ${expected}`);
  return usual;
}

function parseListener(section: SectionReader, text: string): AllowedListener[] {
  const [, port = '', program = ''] = /^(\d{1,5})\/([^/]+)$/.exec(text) ?? [];
  if (program !== '' && Number(port) > 0 && Number(port) < 65_536) return [{ port: Number(port), program }];
  section.problem('listeners', `invalid value "${shownText(text, LONGEST_SHOWN)}", expected PORT/PROGRAM, such as 22/sshd`);
  return [];
}

function parseProgram(section: SectionReader, text: string): string[] {
  if (text.startsWith('/')) return [text];
  const expected = 'expected an absolute path, such as /usr/sbin/sshd';
  section.problem('root_programs', `invalid value "${shownText(text, LONGEST_SHOWN)}", ${expected}`);
  return [];
}

const LONGEST_SHOWN = 60;
