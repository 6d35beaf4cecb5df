// Names and numbers of org.freedesktop.systemd1(5) and waitid(2), as the fake PID 1 says them: written anew, not taken from what is tested.

export const DBUS = 'org.freedesktop.DBus';
export const SYSTEMD = 'org.freedesktop.systemd1';
export const MANAGER_PATH = '/org/freedesktop/systemd1';
export const MANAGER = 'org.freedesktop.systemd1.Manager';
export const PROPERTIES = 'org.freedesktop.DBus.Properties';
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
