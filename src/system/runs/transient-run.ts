// Runs one command as a transient unit.

import { systemClock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Script } from '../spawn/script.ts';
import type { Limit } from '../systemd/dbus/connection.ts';
import { CLD_EXITED } from '../systemd/exec-commands.ts';
import type { Pid1Link } from '../systemd/link.ts';
import type { Pid1 } from '../systemd/pid1.ts';
import { isOver, TransientFollower, type TransientState } from '../systemd/transient-follower.ts';
import { startTransient, type TransientProperties, type TransientStart } from '../systemd/transient-unit.ts';
import { runUnit } from '../systemd/unit/name.ts';
import type { EndNotes } from './end-script.ts';
import type { ShellCommand } from './runner.ts';
import type { RunStreams } from './streams.ts';

/** How the run ended, as far as anybody reports it. */
type RunEnding =
  | { readonly kind: 'over'; readonly state: TransientState }
  | { readonly kind: 'aborted' }
  /** It has exceeded its limit, and nobody has ended it. */
  | { readonly kind: 'overdue' }
  /** The unit is gone, and nobody reports how it ended. */
  | { readonly kind: 'gone'; readonly reason: string }
  /** systemd was asked to start it, and then to stop it, and has answered neither. */
  | { readonly kind: 'unanswered'; readonly reason: string }
  | { readonly kind: 'not_started'; readonly reason: string };

/** The link to PID 1 ended meanwhile. */
type Step = RunEnding | { readonly kind: 'lost'; readonly reason: string };

/** What a run consists of. */
interface TransientRunParts {
  readonly pid1: Pid1;
  readonly command: ShellCommand;
  readonly script: Script;
  readonly streams: RunStreams;
  readonly notes: EndNotes;
}

/** One command as a transient unit, from its start to its end. A link that is lost meanwhile is opened again. */
export class TransientRun {
  readonly #parts: TransientRunParts;
  readonly #unit: string;

  constructor(parts: TransientRunParts) {
    this.#parts = parts;
    this.#unit = runUnit(parts.command.runId);
  }

  /** Runs it. After `aborted` and `overdue` the caller must end its unit. Never rejects. */
  async run(signal: AbortSignal): Promise<RunEnding> {
    const { pid1, command } = this.#parts;
    const { timeoutMs } = command;
    // systemd enforces the limit; ours is for a systemd that does not answer.
    const endMs = performance.now() + timeoutMs + OVERTIME_MS;
    const left = (): Limit => ({ timeoutMs: Math.max(endMs - performance.now(), 0), signal });
    const reached = await pid1.withLink({ timeoutMs, signal, alive: true }, (link) =>
      this.#following(link, async (follower) => (await this.#start(link, signal)) ?? this.#follow(follower, left)),
    );
    if (reached.kind === 'unreachable')
      return signal.aborted ? { kind: 'aborted' } : { kind: 'not_started', reason: reached.reason };
    let step = reached.value;
    while (step.kind === 'lost') {
      const { reason } = step;
      if (left().timeoutMs === 0) return { kind: 'overdue' };
      const again = await pid1.withLink(left(), (link) =>
        this.#following(link, async (follower) => (await this.#ask(follower, left, reason)) ?? this.#follow(follower, left)),
      );
      if (again.kind === 'unreachable') return signal.aborted ? { kind: 'aborted' } : this.#noted(reason);
      step = again.value;
      if (step.kind === 'lost') await systemClock.sleep(AGAIN_MS, signal);
    }
    return step;
  }

  async #following(link: Pid1Link, action: (follower: TransientFollower) => Promise<Step>): Promise<Step> {
    const follower = new TransientFollower(link, this.#unit);
    try {
      return await action(follower);
    } finally {
      follower.stop();
    }
  }

  async #follow(follower: TransientFollower, left: () => Limit): Promise<Step> {
    for (;;) {
      const { state } = follower;
      if (state.mainPid > 0) this.#parts.streams.record(state.mainPid);
      if (isOver(state) || (this.#parts.command.kind === 'action' && hasDoneIt(state))) return { kind: 'over', state };
      const limit = left();
      if (limit.signal?.aborted) return { kind: 'aborted' };
      if (limit.timeoutMs === 0) return { kind: 'overdue' };
      if (!follower.isConnected) return { kind: 'lost', reason: 'the connection to systemd was lost' };
      const nextMs = performance.now() + ASK_MS;
      await follower.next({ ...limit, timeoutMs: Math.min(limit.timeoutMs, ASK_MS) });
      // While PID 1 re-executes itself, it does not signal every change on the bus.
      const asked =
        performance.now() < nextMs ? undefined : await this.#ask(follower, left, 'systemd no longer knows the unit');
      if (asked !== undefined) return asked;
    }
  }

  /** Undefined if the unit exists and its state is known now. */
  async #ask(follower: TransientFollower, left: () => Limit, reason: string): Promise<Step | undefined> {
    const found = await follower.ask(left());
    // Signalled while we were asking.
    if (isOver(follower.state)) return { kind: 'over', state: follower.state };
    if (found === 'gone') return this.#noted(reason);
    return found === 'known' || follower.isConnected ? undefined : { kind: 'lost', reason };
  }

  /** Undefined when systemd has accepted it. */
  async #start(link: Pid1Link, signal: AbortSignal): Promise<Step | undefined> {
    const { command, script, streams, notes } = this.#parts;
    const { kind, runId, description, timeoutMs } = command;
    let started: TransientStart;
    try {
      const descriptors = streams.open(script);
      if (descriptors === undefined) return { kind: 'not_started', reason: 'no pipe is available' };
      const starting = startTransient(
        link,
        {
          unit: this.#unit,
          description: `monitor_service: ${description}`,
          argv: script.argv,
          stopPost: kind === 'action' ? notes.argv(this.#unit, runId) : undefined,
          properties: { ...PROPERTIES[kind], collectMode: 'inactive-or-failed', runtimeMaxMs: timeoutMs },
          descriptors,
        },
        { timeoutMs, signal },
      );
      // Copies have been sent. Ours would keep the pipes open.
      streams.closeGiven();
      started = await starting;
    } catch (error) {
      return { kind: 'not_started', reason: errorMessage(error) };
    }
    switch (started.kind) {
      case 'started':
        return undefined;
      case 'taken':
        return { kind: 'not_started', reason: `${this.#unit} already exists` };
      case 'refused':
        return { kind: 'not_started', reason: started.reason };
      case 'unknown':
        if (!link.isOpen) return { kind: 'lost', reason: started.reason };
        // PID 1 processes orders in sequence: if it still starts the unit, it stops it at once.
        void link.call({ member: 'StopUnit', signature: 'ss', values: [this.#unit, 'replace'] }, { timeoutMs: STOP_LIMIT_MS });
        return signal.aborted ? { kind: 'aborted' } : { kind: 'unanswered', reason: started.reason };
      default:
        return started satisfies never;
    }
  }

  #noted(reason: string): RunEnding {
    const state = this.#parts.notes.read(this.#parts.command.runId);
    return state === undefined ? { kind: 'gone', reason } : { kind: 'over', state };
  }
}

/**
 * True if the command ended successfully and by itself. Only its end script is left, which then has nothing to do, and takes
 * PID 1 some ten milliseconds.
 */
function hasDoneIt({ code, status, result }: TransientState): boolean {
  return code === CLD_EXITED && status === 0 && result === 'success';
}

/** After so long without a signal from systemd we ask for the state. */
const ASK_MS = 2000;
const AGAIN_MS = 250;
const STOP_LIMIT_MS = 30_000;
/** More than twice the longest TimeoutStopSec. */
const OVERTIME_MS = 15_000;

const PROPERTIES = {
  check: { timeoutStopMs: 2000 },
  // The end script has this time too, and as much again before it is killed: its own 2 s must fit in, even on a busy machine.
  action: { timeoutStopMs: 2500, killMode: 'process' },
} as const satisfies Record<ShellCommand['kind'], TransientProperties>;
