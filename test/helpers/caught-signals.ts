import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { waitFor } from './wait-for.ts';

/** True if a process has a handler of its own for the signal: until then that just ends it. */
export function catches(pid: number | undefined, signal: NodeJS.Signals): boolean {
  return isAmong('SigCgt', pid, signal);
}

/** Waits until the process has a handler of its own for the signal, or ignores it. */
export async function survives(pid: number, signal: NodeJS.Signals): Promise<void> {
  await waitFor(`its trap for ${signal}`, () => catches(pid, signal) || isAmong('SigIgn', pid, signal));
}

function isAmong(which: 'SigCgt' | 'SigIgn', pid: number | undefined, signal: NodeJS.Signals): boolean {
  const mask = new RegExp(`${which}:\\s*([0-9a-f]+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/**
 * Sends a process the signal, once it has a handler and then again and again until `done`: what comes just before a script sleeps
 * waits for the end of that sleep.
 */
export async function signalUntil(pid: number, signal: NodeJS.Signals, what: string, done: () => boolean): Promise<void> {
  await waitFor(what, () => {
    if (done()) return true;
    if (catches(pid, signal)) process.kill(pid, signal);
    return false;
  });
}
