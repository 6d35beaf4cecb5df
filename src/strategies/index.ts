import { DEFAULT_SECTION, type SectionReader } from '../core/config.ts';
import { autoStrategy } from './auto/strategy.ts';
import { unfollowedStart } from './command/unfollowed-start.ts';
import { switcherIn } from './command/words.ts';
import { customStrategy, withRestartCommand } from './custom.ts';
import { cannotLook } from './process/running/found-running.ts';
import { processStrategy } from './process/strategy.ts';
import {
  type RestartStrategy,
  type StrategyDefinition,
  type StrategyName,
  type StrategyParts,
  strategyNames,
} from './strategy.ts';
import type { NamedSection } from './twins.ts';
import { judgeUnitName, serviceName } from './unit/name-policy.ts';
import { serviceStrategy } from './unit/strategy.ts';

/** Every restart strategy, by its name in the configuration. */
export const strategies: Readonly<Record<StrategyName, StrategyDefinition<unknown>>> = {
  service: serviceStrategy,
  process: processStrategy,
  auto: autoStrategy,
  custom: customStrategy,
};

/** The parsed strategy of one process; nothing of the system is touched before it is used. */
export interface ParsedStrategy {
  readonly name: StrategyName;
  /** What distinguishes the section from others of its program, besides its name. */
  readonly twin: Omit<NamedSection, 'systemName'>;
  /** Which of the strategies' commands a restart may run, if they are set. */
  readonly commandKeys: readonly string[];
  create(parts: StrategyParts): RestartStrategy;
}

/**
 * Reads `restart_strategy` (default auto) and the keys of all strategies from `[process.NAME]`; reports problems and warnings
 * to the reader. `restart_command` replaces the action of any strategy. `stands`: whether a key is in exactly that section.
 */
export function parseStrategy(
  section: SectionReader,
  stands: (key: string) => boolean = (key) => section.has(key),
): ParsedStrategy {
  const name = section.choice('restart_strategy', strategyNames, 'auto');
  // All strategies parse, so that none of their keys is unknown; errors in them are reported now, not when the strategy is
  // changed.
  for (const other of strategyNames) strategies[other].parse(section);
  const options = strategies[name].parse(section);
  const custom = customStrategy.parse(section);
  const program = processStrategy.parse(section);
  reportIneffectiveKeys(section, name, custom.restartCommand !== undefined, stands);
  const { argument, pidFile, user } = program;
  const isCommanded = custom.restartCommand !== undefined;
  const mayBeProgram = (name === 'process' || name === 'auto') && !isCommanded;
  const mayBeUnit = (name === 'service' || name === 'auto') && !isCommanded;
  return {
    name,
    twin: { argument, pidFile, user, mayBeProgram, mayBeUnit },
    commandKeys: isCommanded ? ['restart_command'] : mayBeProgram ? ['stop_command', 'start_command'] : [],
    create: (parts) => {
      const strategy = strategies[name].create(options, parts);
      if (name !== 'custom') {
        return custom.restartCommand === undefined ? strategy : withRestartCommand(strategy, custom, parts);
      }
      // Whatever its command does, what runs under its name can be seen.
      const running = processStrategy.create(program, parts);
      return {
        ...strategy,
        marks: (process) => running.marks?.(process) ?? {},
        findRunning: async (process, signal, look) => {
          const found = (await running.findRunning?.(process, signal, look)) ?? cannotLook;
          return found.kind === 'found' ? { ...found, key: serviceName(process.systemName) } : found;
        },
        supervisor: (process) => running.supervisor?.(process),
      };
    },
  };
}

/** Only for a process's own section: keys in `[process.default]` may be meant for other processes. */
function reportIneffectiveKeys(
  section: SectionReader,
  name: StrategyName,
  hasRestartCommand: boolean,
  stands: (key: string) => boolean,
): void {
  if (section.section === DEFAULT_SECTION) return;
  const processName = section.section.replace(/^process\./, '');
  if (name === 'custom' && !hasRestartCommand) {
    section.refuse('restart_command', NO_COMMAND);
  }
  const unused = hasRestartCommand ? 'restart_command is run instead' : name === 'service' ? UNIT_ONLY : undefined;
  for (const key of ['start_command', 'stop_command']) {
    if (unused !== undefined && section.command(key) !== undefined) {
      section.warning(key, `has no effect for ${processName}: ${unused}`);
    }
  }
  if (name === 'service')
    for (const key of PROGRAM_KEYS)
      if (stands(key) && section.text(key) !== undefined)
        section.warning(key, `has no effect for ${processName}: ${UNIT_ONLY}`);
  if (
    (name === 'process' || name === 'auto') &&
    section.boolean('any_user', false) &&
    stands('user') &&
    section.text('user') !== undefined
  )
    section.warning('user', 'only says who it is started as: with any_user = true the processes of all users are the program');
  // With watch_exit it says whose processes are meant.
  if (name === 'custom' && !isWatched(section) && stands('user') && section.text('user') !== undefined)
    section.warning('user', `has no effect for ${processName}: restart_command is run as the daemon's own user`);
  const startCommand = section.command('start_command');
  const isToldApart = section.text('argument') !== undefined || section.text('pid_file') !== undefined;
  if (unused === undefined && startCommand !== undefined && name !== 'custom' && !isToldApart) {
    const unfollowed = unfollowedStart(startCommand, section.text('system_name') ?? processName);
    if (unfollowed !== undefined) section.warning('start_command', unfollowed);
  }
  const user = section.text('user');
  const switcher = unused === undefined && startCommand !== undefined ? switcherIn(startCommand) : undefined;
  if (switcher !== undefined && user !== undefined && !['root', '0'].includes(user))
    section.warning(
      'start_command',
      `is run as ${user} (user), whom ${switcher} asks for a password: leave out one of the two`,
    );
  if (name !== 'service' && name !== 'auto') return;
  const judgement = judgeUnitName(section.text('system_name') ?? processName, true);
  const key = section.has('system_name') ? 'system_name' : 'restart_strategy';
  if (judgement.kind === 'refused') section.warning(key, `will be refused: ${judgement.reason}`);
  else if (judgement.kind === 'impossible' && name === 'service')
    section.refuse(key, `cannot be used: ${judgement.reason} (expected a service's name, such as nginx or app@1)`);
}

function isWatched(section: SectionReader): boolean {
  return ['watch_exit', 'ensure_running'].some((key) => section.boolean(key, false));
}

const NO_COMMAND = 'is missing: restart_strategy = custom needs a command';

const UNIT_ONLY = 'restart_strategy = service restarts the unit only';
/** Keys that only identify a program, or only apply to one. */
const PROGRAM_KEYS = [
  'pid_file',
  'argument',
  'any_user',
  'user',
  'supervisor_wait',
  'max_matches',
  'stop_signal',
  'stop_timeout',
];
