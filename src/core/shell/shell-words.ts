/** Words that are not programs to a shell, or to one of the shells (bash(1)). */
export const shellWords: ReadonlySet<string> = new Set(
  [
    '. : alias bg bind break builtin caller cd command compgen complete compopt continue coproc declare dirs disown echo enable eval',
    'exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readarray',
    'readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait [ [[ ]] ! { }',
    'case do done elif else esac fi for function if in select then time until while',
  ].flatMap((words) => words.split(' ')),
);
