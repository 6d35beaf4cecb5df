import type { MonitorSettings } from '../core/config.ts';
import type { AlarmStore } from '../stores/store.ts';
import type { Plans } from '../strategies/recovery-plan.ts';

/** The configuration that the monitor works by. A reload replaces all of it at once. */
export interface MonitorConfig {
  /** `[monitor]`. */
  readonly monitor: MonitorSettings;
  /** Names with a section of their own, in the file's order. Their alarms are read first if there are too many. */
  readonly processNames: readonly string[];
  readonly plans: Plans;
  readonly store: AlarmStore;
}

/** True in `mode = observe`: nothing is restarted. */
export function observes(config: CurrentConfig): boolean {
  return config.current().monitor.mode === 'observe';
}

/** Gives the configuration that is in force. To be asked at each use, so that a reload takes effect. */
export interface CurrentConfig {
  current(): MonitorConfig;
}
