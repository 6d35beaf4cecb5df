// What the worker's unit may do: nothing but the network.
import { readFileSync } from 'node:fs';
import type { UnitProperty } from '../../system/systemd/transient-unit.ts';
import { nodeArgv, type WorkerProgram } from './program.ts';

/** A property of the sandbox. */
interface SandboxProperty extends UnitProperty {
  /** systemd 239 does not know it: it may be left out there, and only there. */
  readonly isNewer?: true;
}

/**
 * The program as it is run inside of the sandbox. The folder that it is in may be closed to all but root (/opt/monitor_service), so it is
 * shown to the worker in another place, read-only. That place hides the daemon's control socket as well.
 */
export function argvInside(program: WorkerProgram): string[] {
  return [`${PLACE}/node`, ...nodeArgv(program, `${PLACE}/program/${program.entry}`)];
}

/** The properties of the sandbox (systemd.exec(5)). `owner`: the unit with whose end it ends too. */
export function sandbox({ folder, isSource }: WorkerProgram, owner: string | undefined): SandboxProperty[] {
  const binds = [
    [process.execPath, `${PLACE}/node`, false, RECURSIVE],
    [folder, `${PLACE}/program`, false, RECURSIVE],
  ];
  return [
    ...(owner === undefined
      ? []
      : [
          { name: 'BindsTo', signature: 'as', value: [owner] },
          { name: 'After', signature: 'as', value: [owner] },
        ]),
    { name: 'TemporaryFileSystem', signature: 'a(ss)', value: [[PLACE, 'ro,mode=755']] },
    { name: 'BindReadOnlyPaths', signature: 'a(ssbt)', value: binds },
    // Its own user, who exists as long as it runs and owns nothing.
    yes('DynamicUser'),
    { name: 'CapabilityBoundingSet', signature: 't', value: 0n },
    { name: 'AmbientCapabilities', signature: 't', value: 0n },
    yes('NoNewPrivileges'),
    { name: 'ProtectSystem', signature: 's', value: 'strict' },
    { name: 'ProtectHome', signature: 's', value: 'yes' },
    // A message bus is a way to ask others to do something.
    { name: 'InaccessiblePaths', signature: 'as', value: ['-/run/dbus'] },
    yes('PrivateTmp'),
    ...(hasUserNamespaces() ? [yes('PrivateUsers')] : []),
    yes('PrivateDevices'),
    { name: 'DevicePolicy', signature: 's', value: 'closed' },
    yes('PrivateMounts'),
    yes('ProtectKernelTunables'),
    yes('ProtectKernelModules'),
    yes('ProtectControlGroups'),
    { ...yes('ProtectKernelLogs'), isNewer: true },
    { ...yes('ProtectClock'), isNewer: true },
    { ...yes('ProtectHostname'), isNewer: true },
    { ...yes('RestrictSUIDSGID'), isNewer: true },
    { ...yes('PrivateIPC'), isNewer: true },
    { name: 'ProtectProc', signature: 's', value: 'invisible', isNewer: true },
    { name: 'ProcSubset', signature: 's', value: 'pid', isNewer: true },
    // Of no kind.
    { name: 'RestrictNamespaces', signature: 't', value: 0n },
    yes('RestrictRealtime'),
    yes('LockPersonality'),
    // With --jitless (nodeArgv).
    ...(isSource ? [] : [yes('MemoryDenyWriteExecute')]),
    { name: 'RestrictAddressFamilies', signature: '(bas)', value: [true, ['AF_INET', 'AF_INET6', 'AF_UNIX']] },
    { name: 'SystemCallArchitectures', signature: 'as', value: ['native'] },
    { name: 'SystemCallFilter', signature: '(bas)', value: [true, ['@system-service']] },
    { name: 'SystemCallFilter', signature: '(bas)', value: [false, ['@privileged', '@resources']] },
    // Refused, not killed: Node continues without what it may not do.
    { name: 'SystemCallErrorNumber', signature: 'i', value: EPERM },
    { name: 'KeyringMode', signature: 's', value: 'private' },
    { name: 'UMask', signature: 'u', value: 0o077 },
    { name: 'LimitCORE', signature: 't', value: 0n },
    { name: 'LimitNOFILE', signature: 't', value: 8192n },
    { name: 'TasksMax', signature: 't', value: 64n },
    { name: 'MemoryMax', signature: 't', value: 768n * 1024n * 1024n },
    // Not used, but if it were the same as that of standard error, systemd would send both to our connection.
    { name: 'StandardOutput', signature: 's', value: 'null' },
    // When memory is short, it is among the first to go: the daemon starts it again.
    { name: 'OOMScoreAdjust', signature: 'i', value: 500 },
  ];
}

/** A unit with PrivateUsers= does not start if they are forbidden, as on hardened hosts. */
function hasUserNamespaces(): boolean {
  try {
    return Number(readFileSync('/proc/sys/user/max_user_namespaces', 'utf8')) > 0;
  } catch {
    return false;
  }
}

function yes(name: string): SandboxProperty {
  return { name, signature: 'b', value: true };
}

const PLACE = '/run/monitor_service';
/** MS_REC of mount(2). */
const RECURSIVE = 16384n;
const EPERM = 1;
