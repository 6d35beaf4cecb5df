import { errorMessage } from '../core/errors.ts';
import type { AlarmRaiser } from '../detectors/detector.ts';
import type { Core } from './app.ts';

/** Raises alarms of detectors in the store, in all rows of that name that nobody has acknowledged, and wakes the loop. */
export function createAlarmRaiser(core: Core): AlarmRaiser {
  return {
    raise: async (processName, notes) => {
      try {
        const rows = await core.store().findProcesses(processName);
        for (const { processId, alarma, sound } of rows)
          if (!(alarma && sound)) await core.store().raiseAlarm(processId, notes);
        core.monitor.wake();
      } catch (error) {
        core.log.error(`The alarm of ${processName} could not be raised: ${errorMessage(error)}`, {
          process_name: processName,
        });
      }
    },
  };
}
