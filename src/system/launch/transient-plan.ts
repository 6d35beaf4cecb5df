import { randomUUID } from 'node:crypto';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import type { LaunchRecord } from '../../core/launch-record.ts';
import { hostPath } from '../files/host-path.ts';
import { makeFolder } from '../files/make-folder.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { shellArgv } from '../spawn/shell.ts';
import { asUser } from '../spawn/user-account.ts';
import { withEnvironment } from '../systemd/systemd-run.ts';
import { handOver } from './environment-handover.ts';
import type { Launch } from './launcher.ts';

/** How a launch becomes a unit's program; or in one line why it cannot. */
export type TransientPlan =
  | {
      readonly kind: 'ready';
      readonly argv: readonly string[];
      /** `NAME=VALUE` each. */
      readonly properties: readonly string[];
      /** To be called at the end, however it went. */
      readonly dispose: () => void;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** Plans a launch; what must pass unseen goes through a file in `dir`, a folder of our own. Never rejects. */
export async function planTransient({ what, runId }: Launch, dir: string, signal: AbortSignal): Promise<TransientPlan> {
  switch (what.kind) {
    case 'line': {
      const shell = await asUser(shellArgv(what.line), what.user, signal);
      if (shell.kind === 'refused') return shell;
      const environment = { ...minimalEnvironment(), ...shell.environment, ...what.environment, MONITOR_RUN_ID: runId };
      return { kind: 'ready', argv: withEnvironment(environment, shell.argv), properties: [], dispose: () => {} };
    }
    case 'argv':
      return planRecord(what.record, runId, dir);
    default:
      return what satisfies never;
  }
}

function planRecord(record: LaunchRecord, runId: string, dir: string): TransientPlan {
  const { argv, executable, cwd, uid, gid, groups } = record;
  if (!statSync(hostPath(cwd), { throwIfNoEntry: false })?.isDirectory()) {
    return { kind: 'refused', reason: `its working directory ${cwd} is gone` };
  }
  const own = minimalEnvironment();
  const { argv: becomeProgram, input } = handOver(environmentOf(record, runId), executable, argv, Object.keys(own));
  const path = join(resolve(dir), `handover-${randomUUID()}`);
  try {
    makeFolder(dir, 0o700);
    writeFileSync(path, input, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    rmSync(path, { force: true });
    return { kind: 'refused', reason: `its environment cannot be handed over: ${errorMessage(error)}` };
  }
  // Not User=: systemd adds the groups that the user has in the database by now.
  const rights = [`--reuid=${uid}`, `--regid=${gid}`, groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`];
  return {
    kind: 'ready',
    argv: [
      '/bin/sh',
      '-c',
      TAKE_PLACE,
      'sh',
      path,
      cwd,
      ...withEnvironment(own, ['setpriv', ...rights, '--', ...becomeProgram]),
    ],
    properties: [`StandardInput=file:${path}`],
    dispose: () => rmSync(path, { force: true }),
  };
}

/** The file is open as stdin by then: whatever becomes of us, it does not stay. */
const TAKE_PLACE = 'rm -f -- "$1"; cd -- "$2" && shift 2 && exec "$@"';

/** Of several values of one name getenv(3) finds the first. */
function environmentOf({ environment }: LaunchRecord, runId: string): Map<string, string> {
  const values = new Map([['MONITOR_RUN_ID', runId]]);
  for (const entry of environment) {
    const cut = entry.indexOf('=');
    if (cut > 0 && !values.has(entry.slice(0, cut))) values.set(entry.slice(0, cut), entry.slice(cut + 1));
  }
  return values;
}
