import { describeWaitStatus } from '../core/wait-status.ts';
import { describeDeath, type ProcessDeath } from './process-death.ts';
import type { WatchParts } from './watch-parts.ts';

/** What a death was found to mean. */
type DeathMeaning =
  /** `repeated`: it was told of as unasked before; systemd has given it up since. */
  | { readonly kind: 'alarm'; readonly why: string | undefined; readonly repeated: boolean }
  /** `why` it is no alarm. `unasked`: nobody had asked for it, though it was started again. */
  | { readonly kind: 'expected'; readonly why: string; readonly unasked?: boolean };

/** Tells the log and the observers of the death of a monitored process, once it is known what it means. */
export function tellDeath(
  name: string,
  death: ProcessDeath,
  meaning: DeathMeaning,
  { log, events }: Pick<WatchParts, 'log' | 'events'>,
): void {
  const { pid, uptimeMs, at, status, unseen, inRecovery } = death;
  const expected = meaning.kind === 'expected';
  const words = expected ? `${describeDeath(death)}; no alarm: ${meaning.why}` : describeDeath(death, meaning.why);
  log[expected ? 'info' : 'warning'](`Process exited: ${name}: ${words}`, { process_name: name, process_pid: pid });
  const cause = describeWaitStatus(unseen === undefined ? status : undefined);
  const ours = inRecovery && { ours: true as const };
  const how = expected
    ? meaning.unasked === true && { unasked: true as const }
    : meaning.repeated && { repeated: true as const };
  events.emit({ type: 'process_exited', processName: name, pid, cause, uptimeMs, at, expected, ...ours, ...how });
}
