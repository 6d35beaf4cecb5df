import type { Route } from '../route.ts';
import { alarmRoutes } from './alarms.ts';
import { breakerRoutes } from './breakers.ts';
import { holdRoutes } from './holds.ts';
import { matchRoutes } from './matches.ts';
import { pinRoutes } from './pins.ts';
import { processRoutes } from './processes.ts';
import { recoveryRoutes } from './recoveries.ts';
import { reloadRoutes } from './reload.ts';
import { statusRoutes } from './status.ts';

/** Every route there is. A resource is a file and a row here. */
export const routes: readonly Route[] = [
  ...statusRoutes,
  ...processRoutes,
  ...recoveryRoutes,
  ...breakerRoutes,
  ...matchRoutes,
  ...reloadRoutes,
  ...holdRoutes,
  ...alarmRoutes,
  ...pinRoutes,
];
