#!/bin/bash
# process-pause.sh apply | revert | status: SIGSTOP for the store's process, SIGCONT for exactly that process: pid and
# start time come from the undo record.
set -euo pipefail
cd "$(dirname "$0")/.."

state() { /usr/bin/python3 -I processes.py state "$HOLDFAST_PID" "$HOLDFAST_START_TIME"; }

case ${1-} in
  apply) /usr/bin/python3 -I processes.py signal STOP "$HOLDFAST_PID" "$HOLDFAST_START_TIME" ;;
  revert)
    # A process that is gone needs no undo; its successor was never ours.
    if [ "$(state)" != gone ]; then /usr/bin/python3 -I processes.py signal CONT "$HOLDFAST_PID" "$HOLDFAST_START_TIME"; fi
    ;;
  status) if [ "$(state)" = T ]; then echo applied; else echo absent; fi ;;
  *) echo 'usage: process-pause.sh apply|revert|status' >&2; exit 2 ;;
esac
