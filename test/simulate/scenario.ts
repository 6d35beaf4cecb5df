import { parseSettings, type Settings } from '../../src/app/settings.ts';
import { loadConfigText } from '../../src/config/config-file.ts';
import { Chance } from './chance.ts';

/**
 * How a program is restarted: as the unit of its name, with a section (`service`, `auto_unit`) or without (`default_unit`); as a
 * program (`process`, `auto_program`); as a unit, and if that fails as a program (`fallback`); by a command (`custom`).
 */
export type ProgramKind = 'service' | 'auto_unit' | 'default_unit' | 'process' | 'auto_program' | 'fallback' | 'custom';

/** A program of the simulated machine; its process_name and system_name are the same. */
export interface Program {
  readonly name: string;
  readonly kind: ProgramKind;
  /** RestartSec= of its unit; undefined: systemd does not restart it. */
  readonly restartSecMs: number | undefined;
  /** Another supervisor brings it back after so long; undefined: it has none. */
  readonly supervisorMs: number | undefined;
  readonly startMs: number;
  readonly stopMs: number;
  readonly termMs: number;
  /** Of how many rows it is the name. */
  readonly rows: number;
}

/** What one run is about. */
export interface Scenario {
  readonly programs: readonly Program[];
  /** Of `[monitor]`; in milliseconds. */
  readonly checkIntervalMs: number;
  readonly circuitResetMs: number;
  readonly maxRestartFailures: number;
  /** The configuration: 0 is the one of the beginning and the end; others differ from it. */
  readonly settings: (variant: number) => Settings;
}

export const VARIANTS = 6;
const NAMES = ['web', 'db', 'queue', 'cache'] as const;
const KINDS: readonly ProgramKind[] = ['service', 'auto_unit', 'default_unit', 'process', 'auto_program', 'fallback', 'custom'];

export function hasUnit({ kind }: Program): boolean {
  return kind === 'service' || kind === 'auto_unit' || kind === 'default_unit' || kind === 'fallback';
}

/** Draws a scenario. */
export function drawScenario(seed: number): Scenario {
  const chance = new Chance(seed);
  const programs = NAMES.slice(0, chance.number(1, NAMES.length)).map((name): Program => {
    const kind = chance.one(KINDS);
    const isProgram = kind === 'process' || kind === 'auto_program';
    return {
      name,
      kind,
      restartSecMs: !isProgram && chance.percent(30) ? chance.one([100, 1000, 8000]) : undefined,
      supervisorMs: isProgram && chance.percent(30) ? chance.one([200, 1000, 4000]) : undefined,
      startMs: chance.one([10, 100, 900, 3000]),
      stopMs: chance.one([5, 50, 700]),
      termMs: chance.one([5, 50, 900, Number.POSITIVE_INFINITY]),
      rows: chance.percent(20) ? 2 : 1,
    };
  });
  const checkInterval = chance.one([1, 3, 10, 20]);
  const circuitReset = chance.one([20, 60, 120]);
  const maxRestartFailures = chance.number(1, 3);
  const parsed = new Map<number, Settings>();
  return {
    programs,
    checkIntervalMs: checkInterval * 1000,
    circuitResetMs: circuitReset * 1000,
    maxRestartFailures,
    settings: (variant) => {
      let settings = parsed.get(variant);
      if (settings === undefined) {
        const text = configText(programs, seed, variant, { checkInterval, circuitReset, maxRestartFailures });
        settings = parseSettings('config.ini', loadConfigText('config.ini', text));
        const errors = settings.problems.filter(({ severity }) => severity === 'error');
        if (errors.length > 0) throw new Error(`the simulated configuration has errors: ${JSON.stringify(errors)}`);
        parsed.set(variant, settings);
      }
      return settings;
    },
  };
}

interface Common {
  readonly checkInterval: number;
  readonly circuitReset: number;
  readonly maxRestartFailures: number;
}

function configText(programs: readonly Program[], seed: number, variant: number, common: Common): string {
  const chance = new Chance(seed + 7919 * variant);
  const lines = [
    '[monitor]',
    `check_interval = ${common.checkInterval}`,
    `circuit_reset_time = ${common.circuitReset}`,
    `max_restart_failures = ${common.maxRestartFailures}`,
    `max_concurrent_restarts = ${chance.number(1, 3)}`,
    'flap_recoveries = 0',
    `mode = ${variant === 4 ? 'observe' : 'act'}`,
    `clear_alarm = ${variant === 5 ? 'false' : 'true'}`,
    '[database]',
    'driver = mysql',
    'host = db1',
    'user = monitor',
    'password = secret',
    '[process.default]',
    ...times(chance),
  ];
  for (const [index, program] of programs.entries()) {
    const { name, kind } = program;
    if (kind === 'default_unit') continue;
    lines.push(`[process.${name}]`, ...times(chance), ...how(program));
    if (index > 0 && chance.percent(30)) lines.push(`depends_on = ${programs[chance.number(0, index - 1)]?.name}`);
    if (chance.percent(20)) lines.push(`priority = ${chance.number(1, 9)}`);
    if (chance.percent(15)) lines.push(`pre_restart_command = simulated-prepare ${name}`);
  }
  return `${lines.join('\n')}\n`;
}

function times(chance: Chance): string[] {
  return [
    `max_attempts = ${chance.number(1, 3)}`,
    `restart_delay = ${chance.one([0, 1, 5])}`,
    `health_check_timeout = ${chance.one([2, 5, 8])}`,
    `stable_time = ${chance.one([0, 1, 2])}`,
    `command_timeout = ${chance.one([6, 10, 20])}`,
  ];
}

function how({ name, kind }: Program): string[] {
  switch (kind) {
    case 'service':
      return ['restart_strategy = service'];
    case 'auto_unit':
    case 'default_unit':
      return ['restart_strategy = auto'];
    case 'process':
      return ['restart_strategy = process', ...asProgram(name)];
    case 'auto_program':
    case 'fallback':
      return ['restart_strategy = auto', ...asProgram(name)];
    case 'custom':
      return [
        'restart_strategy = custom',
        `restart_command = simulated-restart ${name}`,
        `health_check_command = simulated-check ${name}`,
      ];
    default:
      return kind satisfies never;
  }
}

function asProgram(name: string): string[] {
  return [`start_command = simulated-start ${name}`, 'stop_timeout = 2', 'supervisor_wait = 6'];
}
