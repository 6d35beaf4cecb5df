#!/bin/bash
# A real systemd as PID 1, for tests: a container made of this machine's own root through an overlay in memory, without a
# network. Usage: unshare --mount --propagation private -- bash systemd-container.sh [OPTION OF systemd-nspawn]...
# Says `ready PID` (its PID 1, as seen from here) once it has booted, and takes all of it away when stdin ends: whoever started
# us may die as he likes. What is mounted is mounted in our own namespace, and goes with us. Needs root.
set -euo pipefail
# The folder below becomes the container's root, which every user must be able to enter.
umask 022

. "${0%/*}/supervisor.sh"
leader=
nspawn=

# The root of this machine, less everything that would start by itself.
prepare_root() {
  local root=$1 units=$1/usr/lib/systemd/system link
  find "$root"/{etc,usr/lib}/systemd/system -maxdepth 1 -name '*.wants' -exec rm -rf {} +
  rm -rf "$root"/usr/lib/systemd/system-generators "$root"/etc/systemd/system-generators "$root"/etc/rc?.d
  for link in sysinit.target.wants/systemd-journald.service sysinit.target.wants/systemd-tmpfiles-setup.service \
    sockets.target.wants/systemd-journald.socket sockets.target.wants/systemd-journald-dev-log.socket sockets.target.wants/dbus.socket; do
    mkdir -p "$units/${link%/*}"
    ln -s "../${link#*/}" "$units/$link"
  done
  mkdir -p "$root/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' > "$root/etc/systemd/journald.conf.d/test.conf"
  : > "$root/etc/fstab"
  # Without one it would be the first boot, and every unit of the distribution would be enabled.
  tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
  rm -rf "$root/var/log/journal"
}

# nspawn's child that is the first process of a namespace of its own, and has become systemd.
find_leader() {
  local child
  for child in $(cat /proc/"$nspawn"/task/*/children 2> /dev/null); do
    if [ "$(awk '/^NSpid/ { print $NF }' "/proc/$child/status" 2> /dev/null)" = 1 ] &&
      [[ $(readlink "/proc/$child/exe") == */systemd ]]; then
      leader=$child
      return
    fi
  done
  return 1
}

inside() {
  nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd -- "$@"
}

has_booted() {
  case $(inside systemctl is-system-running 2> /dev/null) in running | degraded) ;; *) return 1 ;; esac
}

tear_down() {
  trap '' EXIT INT TERM HUP
  # With its first process dies all of it.
  if [ -n "$leader" ]; then kill -KILL "$leader" 2> /dev/null || :; fi
  if [ -n "$nspawn" ]; then
    kill -KILL "$nspawn" 2> /dev/null || :
    wait "$nspawn" 2> /dev/null || :
  fi
  end_group
}

trap tear_down EXIT
trap 'exit 1' INT TERM HUP
mount -t tmpfs -o mode=755 monitor-test /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work monitor-test /mnt/root
prepare_root /mnt/root
(
  # Two containers in one control group would share its payload. And should we be killed ourselves, nspawn goes with us.
  join_group
  exec setpriv --pdeathsig KILL systemd-nspawn --quiet --register=no --keep-unit --console=pipe --private-network \
    --link-journal=no --resolv-conf=off --timezone=off --machine="$group" --directory=/mnt/root "$@" --boot \
    systemd.unit=multi-user.target systemd.show_status=no systemd.log_target=journal
) < /dev/null > /mnt/console 2>&1 &
nspawn=$!
await "$nspawn" /mnt/console find_leader
await "$nspawn" /mnt/console has_booted
echo "ready $leader"
# Not cat: a trap would wait for its end.
while read -r _; do :; done
