// The script that systemd runs at the end of an action, and the notes that it writes.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signalNumber } from '../../core/process/wait-status.ts';
import { makeFolder } from '../files/make-folder.ts';
import { CLD_DUMPED, CLD_EXITED, CLD_KILLED } from '../systemd/exec-commands.ts';
import type { TransientState } from '../systemd/transient-follower.ts';
import { attempt } from './file.ts';

/**
 * What systemd runs when an action has ended (ExecStopPost=), even if we no longer run. It writes the result to a file, for the
 * case that we did not receive it because PID 1 was re-executing itself at that moment. If that file has been removed, nobody
 * needs the result any more, and the script does not create it again. If the command did not exit by itself (time limit, a
 * signal), the script ends all other processes, because with KillMode=process PID 1 ends only the main process. The script runs
 * in the unit itself, so TERM must not end it. It leaves the others 2 s, unless its command has already had its time for that
 * (TimeoutStopSec=), and sends KILL last. It is in a file of its own, because systemd 252 writes a transient unit to disk and
 * reads it again at each daemon-reload with `;` and `$` changed.
 */
const TEXT = `# Written by monitor_service; see its manual. Arguments: the unit, and the file for the note.
{ echo "$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS" >/proc/self/fd/3; } 3<"$2" 2>/dev/null
case $SERVICE_RESULT$EXIT_CODE in successexited | exit-codeexited) exit ;; esac
trap '' TERM
alone() {
  for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -r "$top$group/cgroup.procs" ] || continue
    while read -r pid; do [ "$pid" = $$ ] || return 1; done <"$top$group/cgroup.procs"
    return 0
  done
  return 1
}
group=
while IFS=: read -r number controllers path; do
  case $controllers in '' | name=systemd) [ "$path" = / ] || group=$path ;; esac
done </proc/self/cgroup
systemctl kill --signal=TERM "$1"
tries='1 2 3 4 5 6 7 8 9 10'
case $SERVICE_RESULT$EXIT_STATUS in timeoutKILL) tries=1 ;; esac
for try in $tries; do
  alone && exit
  sleep 0.2
done
systemctl kill --signal=KILL "$1"
`;

/** The end scripts and notes in a folder of our own. */
export class EndNotes {
  readonly #dir: string;
  #written = false;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Creates the file for the note. Returns the arguments of what is to run at the end of an action; undefined if the disk
   * fails: then only we do this work.
   */
  argv(unit: string, runId: string): string[] | undefined {
    const script = join(this.#dir, 'end-run.sh');
    this.#written ||= attempt(() => {
      makeFolder(this.#dir, 0o700);
      writeFileSync(`${script}.new`, TEXT, { mode: 0o600 });
      renameSync(`${script}.new`, script);
    });
    const note = this.#path(runId);
    attempt(() => writeFileSync(note, '', { mode: 0o600 }));
    return this.#written ? ['/bin/sh', script, unit, note] : undefined;
  }

  /** Reads from its note how the run ended; undefined if there is none. */
  read(runId: string): TransientState | undefined {
    let note = '';
    attempt(() => {
      note = readFileSync(this.#path(runId), 'utf8');
    });
    return parseNote(note);
  }

  drop(runId: string): void {
    attempt(() => rmSync(this.#path(runId), { force: true }));
  }

  #path(runId: string): string {
    return join(this.#dir, `end-${runId}`);
  }
}

/** Undefined if the text is not a note. Source: systemd.exec(5), $SERVICE_RESULT, $EXIT_CODE, $EXIT_STATUS. */
function parseNote(text: string): TransientState | undefined {
  const [, result = '', word = '', status = ''] = /^(\S+) (exited|killed|dumped) (\S+)\n$/.exec(text) ?? [];
  const code = CODES[word];
  if (code === undefined) return undefined;
  const number = code === CLD_EXITED ? Number(status) : signalNumber(status);
  if (number === undefined || !Number.isInteger(number)) return undefined;
  return { activeState: 'inactive', result, mainPid: 0, code, status: number, invocation: '' };
}

const CODES: Readonly<Record<string, number>> = { exited: CLD_EXITED, killed: CLD_KILLED, dumped: CLD_DUMPED };
