import type { Order } from '../order.ts';
import { alarm } from './alarm.ts';
import { check } from './check.ts';
import { checks } from './checks.ts';
import { describe } from './describe.ts';
import { history } from './history.ts';
import { hold } from './hold.ts';
import { incidents } from './incidents.ts';
import { pin } from './pin.ts';
import { pins } from './pins.ts';
import { preview } from './preview.ts';
import { recover } from './recover.ts';
import { release } from './release.ts';
import { reload } from './reload.ts';
import { resetBreakers } from './reset-breakers.ts';
import { status } from './status.ts';
import { unpin } from './unpin.ts';
import { uptime } from './uptime.ts';
import { why } from './why.ts';

/** All orders. Port, routes, client and what the command line does without a daemon are derived from this table. */
export const orderTable = {
  status,
  describe,
  why,
  history,
  uptime,
  incidents,
  checks,
  check,
  recover,
  resetBreakers,
  preview,
  reload,
  hold,
  release,
  alarm,
  pins,
  pin,
  unpin,
} as const satisfies Readonly<Record<string, Order>>;
