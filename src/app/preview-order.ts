import type { Orders } from '../control/orders.ts';
import type { ManagedProcess } from '../core/alarm.ts';
import { previewCommand } from '../core/command-template.ts';
import type { PreviewedCommand } from '../core/outcomes.ts';
import type { HoldJudgement } from '../monitor/holds.ts';
import { checkRefusals, managedProcess, type RecoveryPlan } from '../strategies/recovery-plan.ts';
import type { Resolution, StrategyName } from '../strategies/strategy.ts';
import { maskWarning, respectsMask } from '../strategies/unit/mask.ts';
import { hiddenProcesses } from '../system/proc/hidden.ts';
import type { Core } from './app.ts';
import { isConfigured, isRemembered, lookUp, type NameSources, nearSection, undecided, whyLeftAlone } from './known-names.ts';
import { sectionWarnings } from './section-warnings.ts';

/** What a preview is made from. */
export type PreviewSources = NameSources & Pick<Core, 'abort' | 'execution' | 'plans' | 'targets'>;

/** `match NAME`: what a restart would do, without doing it; as far as that is known before `signal` aborts. */
export async function previewOrder(
  core: PreviewSources,
  name: string,
  signal = core.abort.signal,
): ReturnType<Orders['preview']> {
  const found = await lookUp(core, name);
  const { process, resolution, looked, ...would } = await previewRestart(
    core,
    name,
    'rows' in found ? found.rows[0]?.processId : null,
    signal,
  );
  // A misspelt name, unless something runs: that may be previewed before it has a row.
  if ('kind' in found && looked.stops.length === 0) {
    const isKnown = found.code !== 'not_found' && (isConfigured(core, name) || isRemembered(core, name));
    if (!isKnown) return undecided(name, found);
  }
  const { failures, strategy } = would;
  const leftAlone = whyLeftAlone(core, name);
  const kept = [leftAlone, would.held].filter((reason) => reason !== undefined);
  const refusals = [...kept, ...would.refusals, ...failures];
  const lastUnit = core.state.roots.lastUnit(process.systemName);
  // Else it is among the refusals.
  const mask = respectsMask(strategy)
    ? undefined
    : await maskWarning(core.execution.services, strategy, process, lastUnit, signal);
  const { monitor, watchedNames } = core.settings();
  const isLookedFor = strategy === 'custom' ? watchedNames.includes(name) : strategy !== 'service';
  const hidden = isLookedFor ? hiddenProcesses() : undefined;
  const overridden = refusals.length === 0 ? would.remark : undefined;
  const ofSection = await sectionWarnings(core, name);
  const observes = monitor.mode === 'observe' ? 'mode = observe: nothing is restarted; this is what it would be' : undefined;
  const ruled =
    would.ruledBy === undefined
      ? undefined
      : `[process.${would.ruledBy}] has the same target, comes first in the file and applies to both`;
  const near = leftAlone === undefined ? nearSection(core, name) : undefined;
  const all = [observes, ruled, near, overridden, mask, hidden, ...(looked.warnings ?? []), ...ofSection];
  const warnings = all.filter((warning) => warning !== undefined);
  const target = resolution.kind === 'target' ? resolution.description : '';
  const { commands } = would;
  return {
    kind: 'done',
    ...looked,
    refusals,
    ...(failures.length === 0 ? {} : { failures }),
    ...(warnings.length === 0 ? {} : { warnings }),
    commands,
    strategy,
    target,
  };
}

/** What a restart of that name would do at present. */
export async function previewRestart(
  core: Pick<Core, 'abort' | 'holds' | 'plans' | 'targets'>,
  name: string,
  processId: string | null | undefined,
  signal = core.abort.signal,
): Promise<{
  /** From the section that applies; so are `looked`, `strategy` and `commands`. */
  readonly process: ManagedProcess;
  readonly strategy: StrategyName;
  /** The name of the section that applies, if it is another one. */
  readonly ruledBy: string | undefined;
  readonly resolution: Resolution;
  readonly looked: Awaited<ReturnType<RecoveryPlan['strategy']['preview']>>;
  /** Resolution.key; undefined if the strategy refuses. */
  readonly target: string | undefined;
  /** The hold that prevents the restart. */
  readonly held: string | undefined;
  /** What to say about a hold that does not prevent it. */
  readonly remark: string | undefined;
  /** Why it would not be tried, even without a hold. */
  readonly refusals: readonly string[];
  /** Why it would be tried and fail. */
  readonly failures: readonly string[];
  /** RestartPreview.commands, from the first that would run to the health check. */
  readonly commands: readonly PreviewedCommand[];
}> {
  const own = core.plans()(name);
  const named = managedProcess(name, own, processId);
  const resolution = await own.strategy.resolve(named, signal);
  const target = resolution.kind === 'target' ? resolution.key : undefined;
  const ruledBy = target === undefined ? undefined : await core.targets.rulingOver(name, target);
  const plan = ruledBy === undefined ? own : core.plans()(ruledBy);
  const process = ruledBy === undefined ? named : managedProcess(ruledBy, plan, processId);
  const looked = await plan.strategy.preview(process, signal);
  const judged = await heldBack(core, named, own, resolution);
  const before = preRestart(plan, process);
  const checks = plan.checks.flatMap((check) => check.commands?.(process, plan.settings.healthCheckTimeoutMs) ?? []);
  const refused = resolution.kind === 'refused' ? [resolution.reason] : [];
  const failures = [...checkRefusals(plan, process), ...before.refusals, ...looked.refusals];
  return {
    process,
    strategy: plan.strategy.name,
    ruledBy,
    resolution,
    looked,
    target,
    held: judged.kind === 'held' ? judged.reason : undefined,
    remark: judged.kind === 'told' ? judged.remark : undefined,
    // A restart that is not tried does not fail: then every obstacle is a refusal.
    refusals: [...new Set(refused.length === 0 ? [] : [...refused, ...failures])],
    failures: refused.length === 0 ? failures : [],
    commands: [...before.commands, ...(looked.commands ?? []), ...checks],
  };
}

function preRestart({ settings }: RecoveryPlan, process: ManagedProcess): ReturnType<typeof previewCommand> {
  const { preRestartCommand, commandTimeoutMs } = settings;
  if (preRestartCommand === undefined) return { commands: [], refusals: [] };
  return previewCommand('pre_restart_command', preRestartCommand, process, commandTimeoutMs);
}

/** The hold that prevents the restart, or that the restart would ignore. */
async function heldBack(
  { holds }: Pick<Core, 'holds'>,
  process: ManagedProcess,
  { strategy }: RecoveryPlan,
  resolution: Resolution,
): Promise<HoldJudgement> {
  const { processName } = process;
  const held = resolution.kind === 'target' ? await holds.reasonFor(processName, resolution.key) : holds.reason(processName);
  return held === undefined ? holds.judgeOthers(process, strategy) : { kind: 'held', reason: held };
}
