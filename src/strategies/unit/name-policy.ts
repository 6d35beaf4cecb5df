// Which names mean a systemd service that may be restarted.
import { invisibleIn, quoted } from '../../core/text/printable.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';

/** What a name means as a systemd service. */
type UnitNameJudgement =
  /** `unit` is complete: `nginx.service`. Whether systemd knows it is another question. */
  | { readonly kind: 'unit'; readonly unit: string }
  /** It must not be touched, neither as a unit nor as a program; the reason is one line. */
  | { readonly kind: 'refused'; readonly reason: string }
  /**
   * systemd would not accept it as a service's name, or it means several: it may still be a program's; the reason is one line.
   */
  | { readonly kind: 'impossible'; readonly reason: string };

/**
 * Judges a name before it is passed to systemd. `hasOwnSection`: the operator wrote a section for this very process; only then
 * may the system's own services (`dbus*`, `systemd-*`) and instances of its own templates (`user@`, `getty@`, `modprobe@` …) be
 * touched. Case matters, as it does to systemd. Source: systemd.unit(5).
 */
export function judgeUnitName(name: string, hasOwnSection: boolean): UnitNameJudgement {
  if (/[*?[\]]/.test(name)) return impossible(name, 'is a pattern, not the name of one unit');
  const type = OTHER_UNIT_TYPE.exec(name)?.[1];
  if (type !== undefined) return refused(name, `is a ${type} unit: only services are restarted`);
  const unit = name.endsWith(SUFFIX) ? name : `${name}${SUFFIX}`;
  const stem = serviceName(unit);
  const unseen = invisibleIn(name);
  if (unseen !== undefined)
    return impossible(name, `holds ${unseen}, which is invisible: systemd does not accept it in a unit's name`);
  if (name.includes('/')) return impossible(name, "is a path, not a unit's name");
  if (!STEM.test(stem) || unit.length > MAX_LENGTH) return impossible(name, 'is not a name that systemd accepts for a unit');
  if (stem.endsWith('@') && stem.indexOf('@') === stem.length - 1) {
    return impossible(name, 'is a template: it needs an instance, as in name@instance');
  }
  const base = stem.replace(/@.*/, '');
  if (OURSELVES.test(base)) return refused(name, 'is monitor_service itself, or belongs to it');
  if (MACHINE_STATE.test(base)) return refused(name, 'changes the state of the whole machine');
  const isSystemUnit = SYSTEM_SERVICE.test(base) || (stem.includes('@') && SYSTEM_TEMPLATE.test(base));
  if (isSystemUnit && !hasOwnSection) {
    return refused(name, `is a service of the system itself: it is restarted only if it has a section of its own`);
  }
  return { kind: 'unit', unit };
}

/** True if starting the unit, of whatever type, changes the state of the whole machine. */
export function changesMachine(unit: string): boolean {
  return MACHINE_STATE.test(unit.replace(/\.[a-z]+$/, '').replace(/@.*/, ''));
}

/** `nginx.service` without `.service`: the key of a recovery's target. */
export function serviceName(unit: string): string {
  return unit.endsWith(SUFFIX) ? unit.slice(0, -SUFFIX.length) : unit;
}

/**
 * True if the process `pid`, whose control group is `controlGroup`, runs in the unit: restarting that would end us, whatever
 * its name.
 */
export function isOwnUnit(status: UnitStatus, pid: number, controlGroup: string): boolean {
  if (status.mainPid === pid) return true;
  if (status.controlGroup === '' || status.controlGroup === '/') return false;
  return controlGroup === status.controlGroup || controlGroup.startsWith(`${status.controlGroup}/`);
}

const SUFFIX = '.service';
/** UNIT_NAME_MAX without the final NUL. */
const MAX_LENGTH = 255;
const OTHER_UNIT_TYPE = /\.(socket|target|device|mount|automount|swap|timer|path|slice|scope|snapshot|busname)$/;
/** Not at the beginning: `@`, which leaves no name; `-`, which looks like an option; `.`, which no unit file begins with. */
const STEM = /^[A-Za-z0-9:_\\][A-Za-z0-9:_.\\@-]*$/;
const OURSELVES = /^monitor_service(?:-.*)?$/;
const SYSTEM_SERVICE = /^(?:dbus|systemd-)/;
/**
 * Their instances are logins, terminals, modules, disks and network interfaces. `ssh@…` is somebody's connection.
 * Source: the unit files of systemd, openssh, lvm2, mdadm, e2fsprogs, xfsprogs, ifupdown and polkit.
 */
const SYSTEM_TEMPLATE = new RegExp(
  [
    '^(?:user|user-runtime-dir|capsule|getty|.+-getty|autovt|modprobe|quotaon|quotacheck|sshd?|sshd-.*',
    'lvm2?-.*|md(?:adm|mon|check).*|e2scrub.*|xfs_scrub.*|if(?:up|down)|polkit-agent-helper|initrd.*|dracut-.*)$',
  ].join('|'),
);
const MACHINE_STATE = new RegExp(
  [
    '^(?:poweroff|reboot|soft-reboot|halt|kexec|exit|shutdown|umount|final|ctrl-alt-del',
    'suspend|hibernate|hybrid-sleep|suspend-then-hibernate',
    'default|rescue|emergency|debug-shell|single|multi-user|graphical|sysinit|runlevel[0-6S]|initrd|initrd-.*',
    'systemd-(?:.*-)?(?:poweroff|reboot|halt|kexec|exit|shutdown|suspend|hibernate|sleep)(?:-.*)?)$',
  ].join('|'),
);

function refused(name: string, why: string): UnitNameJudgement {
  return { kind: 'refused', reason: `${shown(name)} ${why}` };
}

function impossible(name: string, why: string): UnitNameJudgement {
  return { kind: 'impossible', reason: `${shown(name)} ${why}` };
}

function shown(name: string): string {
  return quoted(name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name);
}

const MAX_SHOWN = 100;
