import { systemClock } from '../../../src/core/clock.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import { createExecution } from '../../../src/system/execution.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { attemptOn, FakeSection, managed, silentLog } from '../../helpers/strategy-parts.ts';

// Restarts the unit of the name that it is given, and prints what came of it. odd-units.ts runs it in that very unit.

const [name = '', stateDir = ''] = process.argv.slice(2);
const execution = createExecution({ stateDir, log: silentLog });
const section = new FakeSection(`process.${name}`, { restart_strategy: 'service' });
const strategy = parseStrategy(section).create({ ...execution, clock: systemClock, log: silentLog, ...strategyMemory() });
console.log(JSON.stringify(await strategy.restart(attemptOn(managed(name)))));
