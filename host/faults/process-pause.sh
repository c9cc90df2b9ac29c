#!/bin/bash
# process-pause.sh apply | revert | status: SIGSTOP for the store's process, SIGCONT for exactly that process: pid and
# start time come from the undo record. With HOLDFAST_PAUSE_SECONDS a worker does it, so long, every
# HOLDFAST_EVERY_SECONDS (0: once).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/worker.sh
. ./worker.sh

state() { /usr/bin/python3 -I processes.py state "$HOLDFAST_PID" "$HOLDFAST_START_TIME"; }

apply() {
  if [ "$HOLDFAST_PAUSE_SECONDS" = 0 ]; then
    /usr/bin/python3 -I processes.py signal STOP "$HOLDFAST_PID" "$HOLDFAST_START_TIME"
  else
    start_worker flap "$HOLDFAST_PID" "$HOLDFAST_START_TIME" "$HOLDFAST_PAUSE_SECONDS" "$HOLDFAST_EVERY_SECONDS"
  fi
}

case ${1-} in
  apply) has_worker || apply ;;
  revert)
    # A process that is gone needs no undo; its successor was never ours.
    if [ "$(state)" != gone ]; then /usr/bin/python3 -I processes.py signal CONT "$HOLDFAST_PID" "$HOLDFAST_START_TIME"; fi
    ;;
  status) if has_worker || [ "$(state)" = T ]; then echo applied; else echo absent; fi ;;
  *) echo 'usage: process-pause.sh apply|revert|status' >&2; exit 2 ;;
esac
