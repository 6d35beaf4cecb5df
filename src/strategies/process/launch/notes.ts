import type { LaunchRecords } from '../../../core/program/launch-record.ts';
import type { ProcessTree } from '../identity/identity.ts';
import type { RecalledLaunch, UnknownLaunch } from './memory.ts';

/** What is recorded of programs besides their launches: why they cannot be started as they ran, and how many ran. */
export class LaunchNotes {
  readonly #launches: LaunchRecords;

  constructor(launches: LaunchRecords) {
    this.#launches = launches;
  }

  /** Why it would not be started again, which stays known after its death; `undefined`: it would be. */
  unusable(systemName: string, launch: UnknownLaunch | undefined): void {
    const { unusable: before, ...note } = this.#launches.note(systemName);
    // A reason that another look may remove does not last.
    const unusable = launch?.passing === true ? before : launch?.reason;
    if (unusable !== before) this.#launches.setNote(systemName, { ...note, ...(unusable !== undefined && { unusable }) });
  }

  /** It was started by one of our commands, which does not start it again. */
  byCommand(systemName: string, recalled: RecalledLaunch): void {
    this.unusable(systemName, recalled.kind === 'unknown' ? recalled : BY_COMMAND);
  }

  /** It was started by start_command: without that, and without an earlier record, it is not known how to start it. */
  byStartCommand(systemName: string): void {
    const isKnown = this.#launches.get(systemName) !== undefined || this.#launches.note(systemName).unusable !== undefined;
    if (!isKnown) this.unusable(systemName, BY_START_COMMAND);
  }

  /** As for recorded copies: as many as ever ran at once; counted again if somebody has started all of them again. */
  copies(systemName: string, trees: readonly ProcessTree[], isAllNew: boolean): void {
    const { copies: before = 1, ...note } = this.#launches.note(systemName);
    const copies = isAllNew ? runningOf(trees) : Math.max(runningOf(trees), before);
    if (copies !== before) this.#launches.setNote(systemName, { ...note, ...(copies > 1 && { copies }) });
  }

  /** As many as run, or as ran when all was well; at least one, at most `most`. */
  copiesOf(systemName: string, trees: readonly ProcessTree[], most: number): number {
    const { copies = 1 } = this.#launches.note(systemName);
    return Math.min(most, Math.max(runningOf(trees), copies));
  }
}

function runningOf(trees: readonly ProcessTree[]): number {
  return trees.filter(({ orphaned }) => !orphaned).length;
}

const BY_COMMAND: UnknownLaunch = { kind: 'unknown', reason: 'one of the commands in config.ini started it' };
const BY_START_COMMAND: UnknownLaunch = { kind: 'unknown', reason: 'it was started by a start_command that is no longer set' };
