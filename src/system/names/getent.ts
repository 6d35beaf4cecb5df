import { configuredSeconds } from '../../core/duration.ts';
import { startProgram } from '../spawn/command.ts';
import { killGroup } from '../spawn/kill-run.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { ProgramOutput, programEnding } from '../spawn/started-program.ts';
import { type HostAddress, hostAddress } from './address.ts';

/** What the system's other sources say of a name. */
export type GetentAnswer =
  /** None: they do not know it. */
  | { readonly kind: 'answered'; readonly addresses: readonly HostAddress[] }
  | { readonly kind: 'failed'; readonly reason: string };

/** How getent is asked. */
export interface GetentQuestion {
  readonly name: string;
  /** Whether it is to ask DNS too, each server once for a second; else all but DNS. */
  readonly dns: boolean;
  /** The program; default `getent`, from the usual places. */
  readonly file?: string | undefined;
}

/**
 * `getent ahosts`: what nsswitch.conf(5) names beside the hosts file and DNS knows (sssd, mdns, myhostname, mymachines), asked in a
 * child of its own, for whoever answers there may take for ever, and a thread of ours that waits for him cannot be had back. The
 * child is killed when `signal` aborts: undefined then, once it is gone. Never rejects. Source: getent(1), resolv.conf(5).
 */
export async function askGetent(question: GetentQuestion, signal: AbortSignal): Promise<GetentAnswer | undefined> {
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
    // It starts nothing itself: its group is all there is of it, and to look for more would cost a look at every process.
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

/** Whoever asks has a time of his own, which is shorter. */
const LONGEST_MS = 300_000;
/** getent's exit code for a name that nobody knows. */
const UNKNOWN = 2;

/** Lines ADDRESS STREAM|DGRAM|RAW [NAME]. */
function addressesIn(output: string): HostAddress[] {
  return output.split('\n').flatMap((line) => {
    const [address = '', type] = line.trim().split(/\s+/);
    return type === 'STREAM' ? (hostAddress(address) ?? []) : [];
  });
}
