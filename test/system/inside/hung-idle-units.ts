import { type FailingUnit, type HungStart, testFailure, testHungStart } from './hung-kind.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. Units of Type=idle that hang or fail, one after another, and in a
// container of their own: their commands wait up to 5 s for the jobs of others.

const WAIT_FOR_OK = '[ -e %OK% ] || exec sleep 100000';

/** systemd itself calls their start done, and them active. */
const HUNG_STARTS: Readonly<Record<string, HungStart>> = {
  'ExecStartPre= of an idle one': {
    service: ['Type=idle', `ExecStartPre=/bin/sh -c '${WAIT_FOR_OK}'`, 'ExecStart=/bin/sleep 600'],
    where: 'active/start-pre',
    why: /is activating \(start-pre\): ExecStartPre=\/bin\/sh still runs/,
  },
  'ExecCondition= of an idle one': {
    service: ['Type=idle', `ExecCondition=/bin/sh -c '${WAIT_FOR_OK}'`, 'ExecStart=/bin/sleep 600'],
    where: 'active/condition',
    why: /is activating \(condition\): ExecCondition=\/bin\/sh still runs/,
  },
};

const FAILURES: Readonly<Record<string, FailingUnit>> = {
  'exit code of ExecStartPre= of an idle one': {
    lines: ['[Service]', 'Type=idle', "ExecStartPre=/bin/sh -c 'echo one; sleep 1; exit 3'", 'ExecStart=/bin/sleep 600'],
    why: /^systemctl start \S+: failed \(exit-code\): ExecStartPre=\/bin\/sh ended with exit code 3\b/,
    output: ['one'],
  },
  'the ExecCondition= of an idle one': {
    lines: ['[Service]', 'Type=idle', "ExecCondition=/bin/sh -c 'sleep 1; exit 3'", 'ExecStart=/bin/sleep 600'],
    why: /^systemctl start \S+: systemd skipped its start: its ExecCondition= refused the start\b/,
  },
};

for (const [index, [what, hung]] of Object.entries(HUNG_STARTS).entries()) testHungStart('service', index, what, hung);
for (const [index, [what, failing]] of Object.entries(FAILURES).entries()) testFailure(index, what, failing);
