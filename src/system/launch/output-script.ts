import type { Surroundings } from '../../core/program/launch-record.ts';
import { singleQuoted } from '../../core/text/typed-command.ts';

/**
 * Returns what bash must do so that a program's standard output and error go to their files again. It runs with the program's
 * rights, because root's rights could be misled to any file. An output that must not be opened stays where it goes by default.
 *
 * A shell's own `>>` follows links and waits for a FIFO's reader. So dd(1) opens the file, without following, waiting or
 * writing, and holds it while the shell checks what it is: only a regular file, by exactly this path, owned by root or the
 * program's user, with no second name. The shell then opens what dd holds, which nobody can exchange. A missing file is created
 * only if nobody else could have changed the path. Even root's own file is not opened if somebody else owns a folder above it.
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

/** 10 ms each: a file system that does not answer must not keep the program from starting. */
const TRIES = 300;

// dd(1) has nothing to write, and ends when its input pipe is closed. While its output is still the /dev/null that it was
// given, it has not opened the file yet.
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
