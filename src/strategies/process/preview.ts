// Previews a restart of a program.
import type { ManagedProcess } from '../../core/alarm.ts';
import { previewCommand } from '../../core/command-template.ts';
import { LoopPause } from '../../core/loop-pause.ts';
import type { RestartPreview } from '../../core/outcomes.ts';
import type { StrategyParts } from '../strategy.ts';
import type { ProgramParts } from './actions/restart.ts';
import { ambiguityOf, describeForeignProcesses, describeRest, describeTrees } from './descriptions.ts';
import type { ProcessOptions } from './options.ts';

/** What a preview needs of the parts that know the program. */
type PreviewParts = Pick<ProgramParts, 'table' | 'finder' | 'launches' | 'supervision' | 'unit'>;

/** Shows people what a restart of a program would stop and start now, without doing it. */
export class ProgramPreview {
  readonly #options: ProcessOptions;
  readonly #parts: Pick<StrategyParts, 'clock'>;
  readonly #program: PreviewParts;

  constructor(options: ProcessOptions, parts: Pick<StrategyParts, 'clock'>, program: PreviewParts) {
    this.#options = options;
    this.#parts = parts;
    this.#program = program;
  }

  /** For a program whose name can be looked for. Rejects only because of mistakes in this program. */
  async of(managed: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    const { table, finder, launches, supervision, unit: units } = this.#program;
    const found = await (await finder.finder(managed, signal))();
    if (found.kind === 'refused') return { stops: [], starts: [], refusals: [found.reason] };
    const ambiguity = ambiguityOf(found, this.#options);
    const keeper = supervision.keeperLine(managed.systemName);
    const kept = keeper === undefined ? [] : [keeper];
    const foreign = describeForeignProcesses(found.foreign);
    const warningsOf = (more: readonly string[] = []): Pick<RestartPreview, 'warnings'> => {
      const warnings = [...more, ...kept, ...found.remarks, ...foreign];
      return warnings.length > 0 ? { warnings } : {};
    };
    const unit = await units.of(managed, found.trees, signal);
    const running = await describeTrees(table, found.trees, this.#parts.clock.date());
    if (unit.kind === 'unknown') return { stops: running, starts: [], refusals: [unit.reason], ...warningsOf() };
    if (ambiguity === undefined && unit.kind === 'unit') {
      const through = await units.preview(unit.process, signal);
      const rest = describeRest(await units.rest(managed, found.trees, unit.process, signal));
      return { ...through, stops: [...running, ...rest, ...through.stops], ...warningsOf(through.warnings) };
    }
    // Nothing would be started if there are too many: each of them may have megabytes to read.
    const trees = found.trees.slice(0, this.#options.maxMatches);
    const pause = new LoopPause();
    const plan = await launches.plan(managed, 1, { trees, foreign: found.foreign });
    if (pause.isDue) await pause.take();
    const starts = plan.kind === 'planned' ? plan.launches.map(({ description }) => description) : [];
    const stop = this.#stopCommand(managed, found.trees.length + found.rest.length > 0);
    const start = plan.kind === 'planned' ? this.#startCommand(managed) : NONE;
    const planned = [ambiguity, plan.kind === 'refused' ? plan.reason : undefined].filter((reason) => reason !== undefined);
    const refusals = [...planned, ...stop.refusals];
    const remarks = plan.kind === 'planned' ? (plan.remarks ?? []) : [];
    const differences = await launches.differences(managed, trees);
    const commands = [...stop.commands, ...start.commands];
    return {
      stops: [...running, ...describeRest(found.rest)],
      starts,
      refusals,
      ...warningsOf([...remarks, ...differences]),
      ...(commands.length > 0 ? { commands } : {}),
    };
  }

  #stopCommand(managed: ManagedProcess, isRunning: boolean): ReturnType<typeof previewCommand> {
    const { stopCommand, commandTimeoutMs } = this.#options;
    // If it does not run, nothing is stopped.
    if (stopCommand === undefined || !isRunning) return NONE;
    return previewCommand('stop_command', stopCommand, managed, commandTimeoutMs);
  }

  #startCommand(managed: ManagedProcess): ReturnType<typeof previewCommand> {
    const { startCommand, user } = this.#options;
    return startCommand === undefined ? NONE : previewCommand('start_command', startCommand, managed, null, user ?? null);
  }
}

const NONE: ReturnType<typeof previewCommand> = { commands: [], refusals: [] };
