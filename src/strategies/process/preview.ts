import type { ManagedProcess } from '../../core/alarm.ts';
import { previewCommand } from '../../core/command-template.ts';
import { LoopPause } from '../../core/loop-pause.ts';
import type { RestartPreview } from '../../core/outcomes.ts';
import type { StrategyParts } from '../strategy.ts';
import type { RestartSight } from './actions/restart.ts';
import { ambiguityOf, describeRest, describeStrangers, describeTrees } from './descriptions.ts';
import type { ProcessOptions } from './options.ts';

/** What previewing uses of what is known of a program. */
type PreviewSight = Pick<RestartSight, 'table' | 'finder' | 'launches' | 'supervision' | 'unit'>;

/** What a restart of a program would stop and start now, for people; it does nothing of it. */
export class ProgramPreview {
  readonly #options: ProcessOptions;
  readonly #parts: Pick<StrategyParts, 'clock'>;
  readonly #sight: PreviewSight;

  constructor(options: ProcessOptions, parts: Pick<StrategyParts, 'clock'>, sight: PreviewSight) {
    this.#options = options;
    this.#parts = parts;
    this.#sight = sight;
  }

  /** Of a program whose name can be looked for. Never rejects, but for mistakes in the program. */
  async of(managed: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    const { table, finder, launches, supervision, unit: units } = this.#sight;
    const found = await (await finder.finder(managed, signal))();
    if (found.kind === 'refused') return { stops: [], starts: [], refusals: [found.reason] };
    const ambiguity = ambiguityOf(found, this.#options);
    const keeper = supervision.keeperLine(managed.systemName);
    const kept = keeper === undefined ? [] : [keeper];
    const strangers = describeStrangers(found.strangers);
    const said = (more: readonly string[] = []): Pick<RestartPreview, 'warnings'> => {
      const warnings = [...more, ...kept, ...found.remarks, ...strangers];
      return warnings.length > 0 ? { warnings } : {};
    };
    const unit = await units.of(managed, found.trees, signal);
    const running = await describeTrees(table, found.trees, this.#parts.clock.date());
    if (unit.kind === 'unknown') return { stops: running, starts: [], refusals: [unit.reason], ...said() };
    if (ambiguity === undefined && unit.kind === 'unit') {
      const through = await units.preview(unit.process, signal);
      const rest = describeRest(await units.rest(managed, found.trees, unit.process, signal));
      return { ...through, stops: [...running, ...rest, ...through.stops], ...said(through.warnings) };
    }
    // Of too many nothing would be started: each of them may have megabytes to be read.
    const trees = found.trees.slice(0, this.#options.maxMatches);
    const pause = new LoopPause();
    const plan = await launches.plan(managed, 1, trees);
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
      ...said([...remarks, ...differences]),
      ...(commands.length > 0 ? { commands } : {}),
    };
  }

  #stopCommand(managed: ManagedProcess, isRunning: boolean): ReturnType<typeof previewCommand> {
    const { stopCommand, commandTimeoutMs } = this.#options;
    // Of what does not run nothing is stopped.
    if (stopCommand === undefined || !isRunning) return NONE;
    return previewCommand('stop_command', stopCommand, managed, commandTimeoutMs);
  }

  #startCommand(managed: ManagedProcess): ReturnType<typeof previewCommand> {
    const { startCommand, user } = this.#options;
    return startCommand === undefined ? NONE : previewCommand('start_command', startCommand, managed, null, user ?? null);
  }
}

const NONE: ReturnType<typeof previewCommand> = { commands: [], refusals: [] };
