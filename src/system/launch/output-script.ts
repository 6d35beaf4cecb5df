import type { Surroundings } from '../../core/program/launch-record.ts';
import { singleQuoted } from '../../core/text/typed-command.ts';

/**
 * What bash has to do so that a program's standard output and error go to their files again; run with the program's rights, for
 * with root's they could be led anywhere. What must not be opened is left where it goes by itself.
 *
 * A shell's own `>>` follows links and waits for a FIFO's reader. So dd(1) opens the file, by which nothing is followed, waited for
 * or written, and holds it while the shell looks at what that is: only a regular file, by the very path, of root's or the program's
 * user's, with no second name. The shell then opens what dd holds, which nobody can exchange. The file is made anew only where
 * nobody else could have led the path elsewhere; root's own is not even opened where somebody else owns a folder above it.
 */
export function outputSteps({ standardOutput, standardError }: Surroundings): string[] {
  if (standardOutput === undefined && standardError === undefined) return [];
  const steps = [APPEND];
  if (standardOutput !== undefined) {
    const both = standardError === standardOutput ? ' && exec 2>&1' : '';
    steps.push(`monitor_append 1 ${singleQuoted(standardOutput)}${both}`);
  }
  if (standardError !== undefined && standardError !== standardOutput)
    steps.push(`monitor_append 2 ${singleQuoted(standardError)}`);
  return steps;
}

/** 10 ms each: a file system that does not answer must not keep the program from its start. */
const TRIES = 300;

// dd(1) has nothing to write, and ends when the pipe to it is closed. As long as its output is the /dev/null that it is given, it has
// not opened the file yet.
const APPEND = `monitor_append() {
  local folder=$2 make=notrunc owner mode dd tries
  while [[ -n $folder ]]; do
    folder=\${folder%/*}
    mode=$(stat -c '%u %a' -- "\${folder:-/}" 2>/dev/null)
    owner=\${mode% *} mode=\${mode#* }
    [[ $mode =~ ^[0-7]+$ ]] || return 1
    (( 8#$mode & 01000 )) && mode=0
    if [[ $owner != 0 && $owner != "$EUID" ]] || (( 8#$mode & 022 )); then make=notrunc,nocreat; fi
    if (( EUID == 0 )) && { [[ $owner != 0 ]] || (( 8#$mode & 2 )); }; then return 1; fi
  done
  exec 5>&1 >/dev/null 4> >(exec dd of="$2" oflag=append,nofollow,nonblock,noctty conv=$make 2>/dev/null)
  dd=$!
  for (( tries = 0; tries < ${TRIES}; tries++ )); do [[ -c /proc/$dd/fd/1 ]] || break; sleep 0.01; done
  exec >&5 5>&-
  owner=1
  if [[ -f /proc/$dd/fd/1 && $(readlink /proc/$dd/fd/1) == "$2" && $(stat -L -c '%u %h' /proc/$dd/fd/1) == @(0|"$EUID")' 1' ]]; then
    if [[ $1 == 1 ]]; then exec >>/proc/$dd/fd/1; else exec 2>>/proc/$dd/fd/1; fi
    owner=$?
  fi
  exec 4>&-
  if (( tries < ${TRIES} )); then wait $dd; else kill -KILL $dd; fi
  return $owner
}`;
