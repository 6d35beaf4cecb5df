import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { onceEvaled } from '../../../src/config/once-evaled.ts';
import { ReadingBudget } from '../../../src/core/shell/reading-budget.ts';

const told = (line: string): string[] => onceEvaled(line, new ReadingBudget(50_000));
const shell = (line: string): string => execFileSync('bash', ['-c', line], { env: {}, encoding: 'utf8', stdio: 'pipe' });

const NAME =
  '$process_name is empty, because nothing sets it here (the bash service did: write %s, or "$MONITOR_PROCESS_NAME")';

test('a variable of the bash service that nothing sets is reported with how to write it', () => {
  for (const line of [
    'systemctl restart $process_name',
    'rm -f "/srv/o/run/$process_name"/*; rm /srv/o/run/$process_name/x',
    `x="/run/\${process_name}.pid"; rm "$x"`,
    'if true; then echo "$(basename $process_name)" >"/x/$process_name"; fi',
    'echo \'a $b\' "\\$c" >/dev/null; echo $process_name',
    'eval "systemctl restart $process_name"',
    'bash -c "echo $process_name"',
    '( cd /run; echo `cat $process_name` )',
    'export A=$process_name; echo "$A"',
  ])
    assert.deepEqual(told(line), [NAME], line);
  assert.deepEqual(told('kill $process_id; sleep $restart_delay'), [
    '$process_id is empty, because nothing sets it here (the bash service did: write "$MONITOR_PROCESS_ID")',
    '$restart_delay is empty, because nothing sets it here (expected its value, or a command before it that sets it)',
  ]);
});

test('nothing is reported of what may be set, or is not read by this shell', () => {
  for (const line of [
    'process_name=x; echo $process_name',
    'process_name=x echo; echo $process_name',
    'for process_name in a b; do echo $process_name; done',
    'while read -r process_id process_name; do echo $process_name; done',
    'mapfile -t lines; echo $lines',
    'printf -v now %s x; echo $now',
    'exec {fd}>x; echo $fd',
    '((count++)); echo $count',
    `echo \${name:=x}; echo $name`,
    `echo \${name:-x} \${name:?} \${#name} \${name[0]}`,
    'getopts ab: option; echo $option',
    '. /etc/app.env; echo $app_user',
    'source /etc/app.env; echo $app_user',
    'eval "$(cat /x)"; echo $made',
    "awk '{ print $process_name }' /x",
    "bash -c 'echo $process_name'",
    'echo "\\$process_name" $\'$process_name\'',
    '# echo $process_name',
    'cat <<EOF\n$process_name\nEOF',
    "cat <<'EOF'\n$process_name\nEOF",
    'echo $HOME $MONITOR_PROCESS_NAME $http_proxy $1 $$ $? "$@"',
    'echo "$process_name',
    'pid=$(cat /run/x.pid) && kill $pid',
    'f() { local x=$1; echo $x; return 1; }; f a',
    'function f { local x=1; }; f',
    'echo local return; test return = x',
    `"local" x`,
    '',
  ])
    assert.deepEqual(told(line), [], line);
});

test('what only a function may call is reported', () => {
  const local = 'local fails outside of a function and sets nothing (remove it)';
  const returns = 'return fails outside of a function, and the commands after it still run (write exit)';
  assert.deepEqual(told('local pid=$(cat /x); kill $pid'), [local]);
  assert.deepEqual(told('if true; then return 1; fi; local a; local b'), [returns, local]);
  assert.equal(shell('local x=1 2>/dev/null; return 3 2>/dev/null; echo "[$x]"'), '[]\n', 'as bash does it');
});

test('what is reported is empty in bash', () => {
  assert.equal(shell('echo "[$process_name]$(echo $process_name)"'), '[]\n');
});
