// Asks getent(1) for names that neither the hosts file nor DNS knows.

import { configuredSeconds } from '../../core/text/duration.ts';
import { startProgram } from '../spawn/command.ts';
import { killGroup } from '../spawn/kill-run.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { ProgramOutput, programEnding } from '../spawn/started-program.ts';
import { type HostAddress, hostAddress } from './address.ts';
import { Turns } from './turns.ts';

/** What the system's other sources answer for a name. */
export type GetentAnswer =
  /** Empty if they do not know the name. */
  | { readonly kind: 'answered'; readonly addresses: readonly HostAddress[] }
  | { readonly kind: 'failed'; readonly reason: string };

/** How getent is asked. */
interface GetentQuestion {
  readonly name: string;
  /** True if it asks DNS too, each server once for a second; else it asks all sources except DNS. */
  readonly dns: boolean;
  /** The program; default `getent`, from the usual places. */
  readonly file?: string | undefined;
}

/** Shares getent: a few children at once, and one for all callers that ask for the same name. */
export class SharedGetent {
  readonly #file: string | undefined;
  readonly #turns: Turns;
  readonly #asked = new Map<string, Asked>();

  /** `size`: how many children run at once. */
  constructor(size: number, file: string | undefined) {
    this.#file = file;
    this.#turns = new Turns({ size, sliceMs: SLICE_MS });
  }

  /** Asks like askGetent, but waits for a free child. Undefined as soon as `signal` aborts. Never rejects. */
  async ask(question: Omit<GetentQuestion, 'file'>, signal: AbortSignal): Promise<GetentAnswer | undefined> {
    if (signal.aborted) return undefined;
    const key = `${question.dns} ${question.name}`;
    const asked = this.#asked.get(key) ?? this.#begin(key, question);
    asked.waiting++;
    const { promise: aborted, resolve: abort } = Promise.withResolvers<undefined>();
    const leave = (): void => abort(undefined);
    signal.addEventListener('abort', leave, { once: true });
    const answer = await Promise.race([asked.answer, aborted]);
    signal.removeEventListener('abort', leave);
    asked.waiting--;
    // Nobody waits for it any more. The next caller must not be given a child that is being killed.
    if (asked.waiting === 0) this.#end(key, asked);
    return answer;
  }

  #begin(key: string, question: Omit<GetentQuestion, 'file'>): Asked {
    const over = new AbortController();
    const work = (limit: AbortSignal) => askGetent({ ...question, file: this.#file }, limit);
    const asked: Asked = { answer: this.#turns.run(question.name, work, over.signal), over, waiting: 0 };
    this.#asked.set(key, asked);
    return asked;
  }

  #end(key: string, asked: Asked): void {
    asked.over.abort('nobody waits for it');
    if (this.#asked.get(key) === asked) this.#asked.delete(key);
  }
}

/** A working directory service answers well within that, even on a busy machine. */
const SLICE_MS = 300;

/** One pending question, and how many wait for its answer. */
interface Asked {
  readonly answer: Promise<GetentAnswer | undefined>;
  readonly over: AbortController;
  waiting: number;
}

/**
 * Runs `getent ahosts`, which asks everything in nsswitch.conf(5) besides the hosts file and DNS (sssd, mdns, myhostname,
 * mymachines). It runs as a child because such a source may never answer, and a thread of ours that waits for it cannot be
 * recovered. The child is killed when `signal` aborts; the result is then undefined, once the child has gone. Never rejects.
 * Source: getent(1), resolv.conf(5).
 */
async function askGetent(question: GetentQuestion, signal: AbortSignal): Promise<GetentAnswer | undefined> {
  const { name, dns, file = 'getent' } = question;
  if (signal.aborted) return undefined;
  const environment = { ...minimalEnvironment(), RES_OPTIONS: dns ? 'timeout:1 attempts:1' : 'attempts:0' };
  // What follows -- is a name, whatever it begins with.
  const argv = ['ahosts', ...(name.startsWith('-') ? ['--'] : []), name];
  const start = await startProgram(file, argv, { environment, cwd: '/', output: 'pipe' });
  if (start.kind === 'not_started') return { kind: 'failed', reason: start.reason };
  const output = new ProgramOutput(start.program);
  const ending = await programEnding(start.program, LONGEST_MS, signal);
  if (ending.kind !== 'ended') {
    // getent starts no processes: its group is all there is of it, and looking for more would cost a look at every process.
    killGroup(start.program.pid);
    await start.program.ended;
    await output.finish(0);
    return signal.aborted
      ? undefined
      : { kind: 'failed', reason: `${file} has not answered within ${configuredSeconds(LONGEST_MS)}` };
  }
  await output.finish();
  if (ending.exitCode === 0) return { kind: 'answered', addresses: addressesIn(output.stdout()) };
  if (ending.exitCode === UNKNOWN) return { kind: 'answered', addresses: [] };
  return { kind: 'failed', reason: `${file} ended with ${ending.signal ?? `exit code ${ending.exitCode}`}` };
}

/** Every caller has a shorter limit of its own. */
const LONGEST_MS = 300_000;
/** getent's exit code for an unknown name. */
const UNKNOWN = 2;

/** Lines are ADDRESS STREAM|DGRAM|RAW [NAME]. */
function addressesIn(output: string): HostAddress[] {
  return output.split('\n').flatMap((line) => {
    const [address = '', type] = line.trim().split(/\s+/);
    return type === 'STREAM' ? (hostAddress(address) ?? []) : [];
  });
}
