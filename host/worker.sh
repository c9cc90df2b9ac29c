# shellcheck shell=bash
# How a fault's script starts the processes that carry the fault while it lives (workers/NAME.py). They outlive the script;
# workers.py finds and ends them by HOLDFAST_WORKER in their environment.

# start_worker NAME ARG…: returns when the worker has printed `ready` (within 4 s); anything else that it prints, or its
# end, is a failure. What it says on stderr goes to the log of the fault.
start_worker() {
  local name=$1 said word=''
  shift
  exec {said}< <(
    cd /
    # The watchdog comes first: a worker has neither its priority nor its protection from the OOM killer.
    echo 0 >/proc/self/oom_score_adj
    renice 0 -p "$BASHPID" >/dev/null
    exec env -u HOLDFAST_OWNER HOLDFAST_WORKER="$HOLDFAST_FAULT_ID" setsid \
      /usr/bin/python3 -I -B "$OLDPWD/workers/$name.py" "$@" </dev/null 2>>"/run/holdfast/$HOLDFAST_FAULT_ID/log"
  )
  if ! read -r -t 4 word <&"$said" || [ "$word" != ready ]; then
    echo "worker $name: ${word:-ended or hung before it was ready}" >&2
    return 1
  fi
  exec {said}<&-
}

# has_worker: does one of this fault live on this host (hosts that share their processes have networks of their own)?
has_worker() {
  local path
  while read -r path; do
    if [ "$(readlink "${path%environ}ns/net")" = "$(readlink /proc/self/ns/net)" ]; then return 0; fi
  done < <(grep -lszxF "HOLDFAST_WORKER=$HOLDFAST_FAULT_ID" /proc/[0-9]*/environ)
  return 1
}

# whole_numbers VALUE…: fails when one is anything else: arithmetic runs the commands that it finds in a value.
whole_numbers() {
  local value
  for value in "$@"; do
    case $value in
      '' | *[!0-9]*)
        echo "not a whole number: $value" >&2
        return 1
        ;;
    esac
  done
}
