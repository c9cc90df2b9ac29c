# shellcheck shell=bash
# A control group of our own for a fault's load. Where it is made (HOLDFAST_CGROUP, HOLDFAST_CGROUP_VERSION) was found out
# when the fault was armed; it is taken away by its name alone, which tells fault and instance.

properties=()

# limit VERSION NAME VALUE: a file of a v1 group, or a property of the systemd scope that is the v2 group
limit() {
  if [ "$1" != "$HOLDFAST_CGROUP_VERSION" ]; then return; fi
  if [ "$1" = 2 ]; then
    properties+=(-p "$2=$3")
  else
    [ -d "${HOLDFAST_CGROUP:?}" ] || mkdir "$HOLDFAST_CGROUP"
    printf '%s\n' "$3" >"$HOLDFAST_CGROUP/$2"
  fi
}

# in_group start_worker NAME ARG…: in the group, if the fault has one
in_group() {
  case ${HOLDFAST_CGROUP_VERSION-} in
    1) (echo 0 >"$HOLDFAST_CGROUP/cgroup.procs" && "$@") ;;
    2)
      systemd-run --quiet --scope --collect --unit="${HOLDFAST_CGROUP##*/}" "${properties[@]}" \
        bash -euo pipefail -c '. ./worker.sh && "$@"' in_group "$@"
      ;;
    *) "$@" ;;
  esac
}

# groups: those of this fault that are there, one a line
groups() {
  local name path
  name=$(printf '%s' "$HOLDFAST_INSTANCE_ID$HOLDFAST_FAULT_ID" | sha256sum)
  name=holdfast-${name:0:12}
  for path in /sys/fs/cgroup/*/"$name" "/sys/fs/cgroup/system.slice/$name.scope"; do
    if [ -d "$path" ]; then printf '%s\n' "$path"; fi
  done
}

# remove_groups: ends our workers inside, within 2 s; other processes inside are a failure. Idempotent.
remove_groups() {
  local path pid tries
  while read -r path; do
    for ((tries = 0; tries < 100; tries++)); do
      # systemd removes a scope that is empty by itself, and wants to.
      case $path in *.scope) ;; *) rmdir "$path" 2>/dev/null || true ;; esac
      [ -d "$path" ] || break
      while read -r pid; do
        if grep -qzxF "HOLDFAST_WORKER=$HOLDFAST_FAULT_ID" "/proc/$pid/environ" 2>/dev/null; then
          kill -KILL "$pid" 2>/dev/null || true
        fi
      done < <(cat "$path/cgroup.procs" 2>/dev/null)
      sleep 0.02
    done
  done < <(groups)
  path=$(groups)
  if [ -n "$path" ]; then
    echo "cannot be removed: $path" >&2
    return 1
  fi
}

# say_group_status: `applied` while a group is there
say_group_status() { if [ -n "$(groups)" ]; then echo applied; else echo absent; fi; }
