#!/bin/bash
# A real systemd among this machine's own processes, for tests that need the kernel's process events too, which are not to be had
# in a container: a manager as users have it, but root's, and alone in a mount namespace. With /run for its runtime folder its
# sockets lie where those of PID 1 do, so that a plain systemctl of root's speaks to it, and systemd seems to be what has booted.
# Usage: unshare --mount --propagation private -- bash host-systemd.sh PATH_OF_SYSTEMD [FOLDER]...
# Of what is in /tmp and /var/tmp only the FOLDERs can be seen by its units: PrivateTmp= makes folders there, which go with us.
# Says `ready PID` (the manager's) once it is up, and takes all of it away when stdin ends. Needs root.
set -euo pipefail
umask 022
. "${0%/*}/supervisor.sh"
systemd=$1
shift
manager=

# cover FOLDER SHOWN...: lays an empty folder over FOLDER, and those that lie in it on top.
cover() {
  local top=$1 folder
  shift
  mkdir -p /run/outside
  mount --bind "$top" /run/outside
  mount -t tmpfs -o mode=1777 monitor-test "$top"
  for folder; do
    if [[ $folder == "$top"/* ]]; then
      mkdir -p "$folder"
      mount --bind "/run/outside${folder#"$top"}" "$folder"
    fi
  done
  umount /run/outside
}

has_started() {
  case $(systemctl is-system-running 2> /dev/null) in running | degraded) ;; *) return 1 ;; esac
}

tear_down() {
  trap '' EXIT INT TERM HUP
  # Before its units, or it would start them again.
  if [ -n "$manager" ]; then
    kill -KILL "$manager" 2> /dev/null || :
    wait "$manager" 2> /dev/null || :
  fi
  end_group
}

trap tear_down EXIT
trap 'exit 1' INT TERM HUP
mount -t tmpfs -o mode=755 monitor-test /run
cover /tmp "$@"
cover /var/tmp "$@"
mkdir -p /run/systemd/{system,user} /run/{home,none}
# These are all the units there are: none of those that this machine has for its users.
for target in basic default shutdown; do
  printf '[Unit]\nDefaultDependencies=no\n' > "/run/systemd/user/$target.target"
done
(
  join_group
  exec setpriv --pdeathsig KILL env -i PATH="$PATH" HOME=/run/home XDG_RUNTIME_DIR=/run XDG_{CONFIG,STATE}_HOME=/run/home \
    SYSTEMD_UNIT_PATH=/run/systemd/transient:/run/systemd/user SYSTEMD_{,ENVIRONMENT_}GENERATOR_PATH=/run/none \
    SYSTEMD_LOG_TARGET=console "$systemd" --user
) < /dev/null > /run/console 2>&1 &
manager=$!
await "$manager" /run/console has_started
echo "ready $manager"
# Not cat: a trap would wait for its end.
while read -r _; do :; done
