import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import { addAlarm } from './alarm.ts';
import { addBreaker } from './breaker.ts';
import { addCheck } from './check.ts';
import { addCheckConfig } from './check-config.ts';
import { addDemo } from './demo.ts';
import { addEvents } from './events.ts';
import { addHistory } from './history.ts';
import { addHold } from './hold.ts';
import { addMatch } from './match.ts';
import { addPin } from './pin.ts';
import { addRelease } from './release.ts';
import { addReload } from './reload.ts';
import { addRestart } from './restart.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import { addUnpin } from './unpin.ts';
import { addUptime } from './uptime.ts';
import { addWhy } from './why.ts';

/** All commands, in the order of the help. Each is one file and one row here. */
export const commands: readonly ((program: Command, cli: Cli) => void)[] = [
  addRun,
  addDemo,
  addStatus,
  addWhy,
  addHistory,
  addUptime,
  addCheck,
  addRestart,
  addAlarm,
  addBreaker,
  addHold,
  addRelease,
  addMatch,
  addPin,
  addUnpin,
  addEvents,
  addReload,
  addCheckConfig,
];
