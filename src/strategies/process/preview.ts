import type { ManagedProcess } from '../../core/alarm.ts';
import { Breath } from '../../core/breath.ts';
import type { RestartPreview } from '../../core/outcomes.ts';
import type { StrategyParts } from '../strategy.ts';
import { ambiguityOf, describeRest, describeStrangers, describeTrees } from './descriptions.ts';
import type { ProcessOptions } from './options.ts';
import type { RestartSight } from './restart.ts';

/** What previewing uses of what is known of a program. */
export type PreviewSight = Pick<RestartSight, 'table' | 'finder' | 'launches' | 'supervision' | 'unit'>;

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
    const strangers = describeStrangers(table, found.strangers);
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
    const breath = new Breath();
    const plan = await launches.plan(managed, 1, trees);
    if (breath.isDue) await breath.take();
    const starts = plan.kind === 'planned' ? plan.launches.map(({ description }) => description) : [];
    const refusals = [ambiguity, plan.kind === 'refused' ? plan.reason : undefined].filter((reason) => reason !== undefined);
    const remarks = plan.kind === 'planned' ? (plan.remarks ?? []) : [];
    const differences = await launches.differences(managed, trees);
    return { stops: [...running, ...describeRest(found.rest)], starts, refusals, ...said([...remarks, ...differences]) };
  }
}
