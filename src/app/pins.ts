// The orders that pin programs.
import { createHash } from 'node:crypto';
import type { PinOffer } from '../control/orders/pins.ts';
import type { Orders } from '../control/orders.ts';
import { errorMessage } from '../core/errors.ts';
import { LoopPause } from '../core/loop-pause.ts';
import type { PinnedLaunch } from '../core/program/pin.ts';
import { nameWords } from '../core/text/printable.ts';
import { pinnedLaunch } from '../strategies/process/launch/pinned.ts';
import { describeArgv } from '../strategies/process/launch-words.ts';
import { managedProcess } from '../strategies/recovery-plan.ts';
import { ProcessLook } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import type { Core } from './app.ts';
import { type NameSources, unknownName } from './known-names.ts';

/** What could be pinned under a name; or why nothing can be, in one line. */
type Candidate =
  | {
      readonly kind: 'candidate';
      readonly systemName: string;
      readonly launches: readonly PinnedLaunch[];
      readonly running: boolean;
      readonly digest: string;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** What the orders for pins need. */
export type PinSources = NameSources & Pick<Core, 'abort' | 'book' | 'concerns' | 'events' | 'log' | 'monitor' | 'plans'>;

/** Binds the orders for pins, given by `by`. */
export function bindPins(core: PinSources, by: string): Pick<Orders, 'pins' | 'pin' | 'unpin'> {
  return {
    pins: async (name) => {
      if (name === undefined) return offerAll(core);
      const unknown = await unknownName(core, name);
      if (unknown !== undefined) return unknown;
      const found = await candidateFor(core, name);
      if (found.kind === 'refused') return { kind: 'done', offers: [], refusals: [{ name, reason: found.reason }] };
      return { kind: 'done', offers: [offerOf(name, found, (await concernOf(core, name)) ?? null)], refusals: [] };
    },
    pin: async (name, digest) => {
      const unknown = await unknownName(core, name);
      if (unknown !== undefined) return unknown;
      const found = await candidateFor(core, name);
      if (found.kind === 'refused') return { kind: 'refused', code: 'conflict', reason: `${name}: ${found.reason}` };
      if (found.digest !== digest) {
        const reason = `${name} no longer runs as it was shown: give the order again`;
        return { kind: 'refused', code: 'conflict', reason };
      }
      const { systemName, launches } = found;
      core.state.pins.set({ systemName, launches, pinnedAt: core.clock.date() });
      for (const { record } of launches)
        core.log.info(`Pinned ${nameWords(name)} by ${by}: ${describeArgv(record.argv)} (user ${record.uid})`, {
          process_name: name,
        });
      const detail = launches.map(({ record }) => describeArgv(record.argv)).join('; ');
      core.events.emit({ type: 'order_given', order: 'pin', name, by, detail, outcome: 'done' });
      const closed = closeBreakers(core, systemName, by);
      await lookAgain(core, name, [systemName]);
      return { kind: 'done', pinned: [name], ...(closed.length === 0 ? {} : { closed }) };
    },
    unpin: async (name) => {
      const all = core.state.pins.list().map(({ systemName }) => systemName);
      const wanted = name === undefined ? all : pinsOf(core, name);
      const gone = [...new Set(wanted)].filter((systemName) => core.state.pins.delete(systemName));
      const unknown = gone.length === 0 && name !== undefined ? await unknownName(core, name) : undefined;
      if (unknown !== undefined) return unknown;
      for (const systemName of gone) {
        core.log.info(`Pin removed by ${by}: ${nameWords(systemName)}`, { process_name: systemName });
        core.events.emit({ type: 'order_given', order: 'unpin', name: systemName, by, detail: '', outcome: 'done' });
      }
      await lookAgain(core, name, gone);
      return { kind: 'done', unpinned: gone };
    },
  };
}

/**
 * The system names under which its pin may be stored: its own name too, from before it had another, unless that is another's
 * system name.
 */
function pinsOf(core: Pick<Core, 'plans' | 'settings'>, name: string): ReadonlySet<string> {
  const isAnothers = core.settings().processNames.some((one) => one !== name && systemNameOf(core, one) === name);
  return new Set([systemNameOf(core, name), ...(isAnothers ? [] : [name])]);
}

/**
 * Closes the circuit breakers of a program: the pin may have removed what opened them, that it would not be started. Returns
 * the names of those that were not at rest.
 */
function closeBreakers(
  { book, breakers, monitor, ...core }: Pick<Core, 'book' | 'breakers' | 'monitor' | 'plans'>,
  systemName: string,
  by: string,
): string[] {
  const mine = [...breakers.list()].filter(([, { processName }]) => systemNameOf(core, processName) === systemName);
  const closed = mine.flatMap(([target]) => breakers.reset(target, by));
  for (const [, { processName }] of mine) book.retry(processName);
  if (mine.length > 0) monitor.wake();
  return closed;
}

/** Looks at the concerns of a program again, under each of its names. */
async function lookAgain(
  core: Pick<Core, 'concerns' | 'plans' | 'settings'>,
  name: string | undefined,
  systemNames: readonly string[],
): Promise<void> {
  const names = [...core.settings().processNames, ...core.concerns.looked(), ...(name === undefined ? [] : [name])];
  for (const one of new Set(names)) if (systemNames.includes(systemNameOf(core, one))) await core.concerns.lookAt(one);
}

/** The offers for all programs that would not be started again at present. */
async function offerAll(core: Pick<Core, 'abort' | 'log' | 'plans' | 'settings' | 'store'>): ReturnType<Orders['pins']> {
  const offers: PinOffer[] = [];
  const refusals: { readonly name: string; readonly reason: string }[] = [];
  const look = await ProcessLook.take(new ProcessTable());
  const seen = new Set<string>();
  const pause = new LoopPause();
  for (const name of await allNames(core)) {
    if (pause.isDue) await pause.take();
    const systemName = systemNameOf(core, name);
    const concern = seen.has(systemName) ? undefined : await concernOf(core, name, look);
    if (concern === undefined) continue;
    seen.add(systemName);
    const found = await candidateFor(core, name);
    if (found.kind === 'refused') refusals.push({ name, reason: found.reason });
    else offers.push(offerOf(name, found, concern));
  }
  return { kind: 'done', offers, refusals };
}

/** The names with a section, and those in the database if it answers. */
async function allNames({
  settings,
  plans,
  store,
  log,
}: Pick<Core, 'log' | 'plans' | 'settings' | 'store'>): Promise<ReadonlySet<string>> {
  const { processNames, monitor } = settings();
  if (monitor.onlyConfigured || plans()('').strategy.concern === undefined) return new Set(processNames);
  try {
    return new Set([...processNames, ...(await store().listNames(MOST_NAMES))]);
  } catch (error) {
    log.debug(`Only processes with a section are looked at for pins: ${errorMessage(error)}`);
    return new Set(processNames);
  }
}

const MOST_NAMES = 5000;

function systemNameOf(core: Pick<Core, 'plans'>, name: string): string {
  return managedProcess(name, core.plans()(name)).systemName;
}

async function concernOf(core: Pick<Core, 'plans'>, name: string, look?: ProcessLook): Promise<string | undefined> {
  const plan = core.plans()(name);
  const process = managedProcess(name, plan);
  return plan.strategy.concern?.(process, look && (async () => look));
}

async function candidateFor(core: Pick<Core, 'abort' | 'plans'>, name: string): Promise<Candidate> {
  const plan = core.plans()(name);
  const process = managedProcess(name, plan);
  const now = await plan.strategy.launchesNow?.(process, core.abort.signal);
  if (now === undefined) return { kind: 'refused', reason: 'a command restarts it, which needs no pin' };
  if (now.kind === 'refused') return now;
  const launches: PinnedLaunch[] = [];
  for (const record of now.records) {
    const pinned = await pinnedLaunch(record);
    if (pinned.kind === 'failed') return { kind: 'refused', reason: pinned.reason };
    launches.push(pinned.launch);
  }
  const { systemName } = process;
  const digest = createHash('sha256')
    .update(JSON.stringify([systemName, launches]))
    .digest('hex');
  return { kind: 'candidate', systemName, launches, running: now.running, digest };
}

/** The offer for a candidate, without the values of the environment: they may be secrets. */
function offerOf(name: string, candidate: Candidate & { readonly kind: 'candidate' }, concern: string | null): PinOffer {
  const { systemName, digest, running, launches } = candidate;
  return {
    name,
    systemName,
    digest,
    running,
    concern,
    launches: launches.map(({ record: { argv, executable, cwd, uid, gid, groups, environment }, files }) => {
      const variables = environment.map((entry) => entry.split('=', 1)[0] ?? '');
      return { argv, executable, cwd, uid, gid, groups, variables, files };
    }),
  };
}
