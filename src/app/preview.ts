import type { Done } from '../control/replies.ts';
import type { ManagedProcess } from '../core/alarm.ts';
import { previewCommand } from '../core/command-template.ts';
import type { HoldJudgement } from '../monitor/holds.ts';
import { checkRefusals, type RecoveryPlan } from '../monitor/recovery-plan.ts';
import type { Resolution } from '../strategies/strategy.ts';
import { isHeeded, maskWarning } from '../strategies/unit/mask.ts';
import { hiddenProcesses } from '../system/proc/hidden.ts';
import type { Core } from './app.ts';

/** What a recovery of `process` would do as things stand, from its first command to its health check; it does nothing of it. Never rejects. */
export async function previewRestart(core: Core, process: ManagedProcess, plan: RecoveryPlan): Promise<Done<'preview'>> {
  const { processName } = process;
  const resolution = await plan.strategy.resolve(process, core.abort.signal);
  const looked = await plan.strategy.preview(process, core.abort.signal);
  const target = resolution.kind === 'target' ? resolution.description : '';
  const unresolved = resolution.kind === 'refused' && !looked.refusals.includes(resolution.reason) ? [resolution.reason] : [];
  const held = await heldBack(core, process, plan, resolution);
  const before = preRestart(plan, process);
  const refusals = [
    ...(held.kind === 'held' ? [held.reason] : []),
    ...checkRefusals(plan, process),
    ...before.refusals,
    ...unresolved,
    ...looked.refusals,
  ];
  const { name: strategy } = plan.strategy;
  const lastUnit = core.state.roots.lastUnit(process.systemName);
  // Else it stands among the refusals.
  const mask = isHeeded(strategy)
    ? undefined
    : await maskWarning(core.execution.services, strategy, process, lastUnit, core.abort.signal);
  const isLookedFor = strategy === 'custom' ? core.settings().watchedNames.includes(processName) : strategy !== 'service';
  const hidden = isLookedFor ? hiddenProcesses() : undefined;
  const overridden = held.kind === 'told' && refusals.length === 0 ? held.remark : undefined;
  const all = [overridden, mask, hidden, ...(looked.warnings ?? [])].filter((warning) => warning !== undefined);
  const checks = plan.checks.flatMap((check) => check.commands?.(process, plan.settings.healthCheckTimeoutMs) ?? []);
  const commands = [...before.commands, ...(looked.commands ?? []), ...checks];
  return { ...looked, refusals, ...(all.length === 0 ? {} : { warnings: all }), commands, strategy, target };
}

function preRestart({ settings }: RecoveryPlan, process: ManagedProcess): ReturnType<typeof previewCommand> {
  const { preRestartCommand, commandTimeoutMs } = settings;
  if (preRestartCommand === undefined) return { commands: [], refusals: [] };
  return previewCommand('pre_restart_command', preRestartCommand, process, commandTimeoutMs);
}

/** The hold that keeps it from being restarted, or that its restart would not heed. */
async function heldBack(
  { holds }: Core,
  process: ManagedProcess,
  { strategy }: RecoveryPlan,
  resolution: Resolution,
): Promise<HoldJudgement> {
  const { processName } = process;
  const held = resolution.kind === 'target' ? await holds.reasonFor(processName, resolution.key) : holds.reason(processName);
  return held === undefined ? holds.judgeOthers(process, strategy) : { kind: 'held', reason: held };
}
