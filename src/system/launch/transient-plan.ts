// Plans a launch as a transient unit.

import type { LaunchRecord, Surroundings } from '../../core/program/launch-record.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { EMPTY_ENVIRONMENT, lineScript, programScript, type Script } from '../spawn/script.ts';
import { asUser, setpriv } from '../spawn/user-account.ts';
import { shellSteps } from './give-back.ts';
import type { Launch } from './launcher.ts';
import { firstValues, groupsOption, NEEDS_BASH } from './recorded-program.ts';

/** How a launch becomes a unit's program, or one line why it cannot. */
export type TransientPlan =
  /** `surroundings`: those that the unit's properties set. */
  | { readonly kind: 'ready'; readonly script: Script; readonly surroundings: Surroundings }
  | { readonly kind: 'refused'; readonly reason: string };

/** Plans a launch: all of it, including its environment, is in the script, where nobody sees it. Never rejects. */
export async function planTransient({ what, runId }: Launch, signal: AbortSignal): Promise<TransientPlan> {
  switch (what.kind) {
    case 'line': {
      const user = await asUser(what.user, signal);
      if (user.kind === 'refused') return user;
      const environment = { ...minimalEnvironment(), ...user.environment, ...what.environment, MONITOR_RUN_ID: runId };
      return ready(user.prefix, lineScript(what.line, environment));
    }
    case 'argv':
      return planRecord(what.record, runId);
    default:
      return what satisfies never;
  }
}

function planRecord(record: LaunchRecord, runId: string): TransientPlan {
  const { argv, executable, cwd, environment, uid, gid, groups, surroundings = {} } = record;
  const variables = firstValues(environment).set('MONITOR_RUN_ID', runId);
  const steps = shellSteps(surroundings, { isUnit: true });
  const script = programScript({ executable, argv, cwd, environment: variables, steps });
  if (script === undefined) return { kind: 'refused', reason: NEEDS_BASH };
  // A unit already runs as root, so no rights have to be given up.
  if (uid === 0 && gid === 0 && groups.length === 0) return ready([], script, surroundings);
  // Not by User=: systemd adds the groups that the user has in the database by now.
  return ready(setpriv(uid, gid, groupsOption(groups)), script, surroundings);
}

function ready(prefix: readonly string[], { argv, text }: Script, surroundings: Surroundings = {}): TransientPlan {
  if (text.includes('\0')) return { kind: 'refused', reason: 'the program to start holds a NUL byte' };
  return { kind: 'ready', script: { argv: [...EMPTY_ENVIRONMENT, ...prefix, ...argv], text }, surroundings };
}
