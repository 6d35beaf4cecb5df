# What the scripts share that keep a systemd for tests up. Sourced, with `set -euo pipefail`.

group=monitor-test-$$

# Our control group in the hierarchies of cgroup v2, v1 and the mixture of both.
hierarchies() {
  local top
  for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -w "$top/cgroup.procs" ]; then echo "$top/$group"; fi
  done
}

# Moves this subshell, and all that it will start, into the group.
join_group() {
  local folder
  for folder in $(hierarchies); do
    mkdir "$folder"
    echo "$BASHPID" > "$folder/cgroup.procs"
  done
}

# Kills what is in the group, until nobody is, and takes it away.
end_group() {
  local folder try
  for folder in $(hierarchies); do
    for try in $(seq 100); do
      if [ ! -d "$folder" ] || find "$folder" -depth -type d -exec rmdir {} + 2> /dev/null; then break; fi
      find "$folder" -name cgroup.procs -exec cat {} + 2> /dev/null | awk '$1 > 0' | xargs -r kill -KILL 2> /dev/null || :
      sleep 0.05
    done
  done
}

# await PID CONSOLE COMMAND...: waits for its success, at most 45 s, and gives up when PID is gone.
await() {
  local pid=$1 console=$2 try
  shift 2
  for try in $(seq 900); do
    if "$@"; then return; fi
    if ! kill -0 "$pid" 2> /dev/null; then break; fi
    sleep 0.05
  done
  echo "no success with $*; the console said:" >&2
  cat "$console" >&2
  exit 1
}
