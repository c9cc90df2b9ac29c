#!/bin/bash
# process-kill.sh apply | revert | status: ends the store's process by HOLDFAST_SIGNAL. With HOLDFAST_RESTART=rollback
# the way back starts its unit again; with `supervisor` whoever supervises it has to.
set -euo pipefail
cd "$(dirname "$0")/.."

active() { [ "$(systemctl is-active "$HOLDFAST_UNIT" 2>/dev/null || true)" = active ]; }
# gone SECONDS: has the recorded process ended, or does it within so long?
gone() { /usr/bin/python3 -I processes.py gone "$1" "$HOLDFAST_PID" "$HOLDFAST_START_TIME"; }

case ${1-} in
  apply) /usr/bin/python3 -I processes.py signal "$HOLDFAST_SIGNAL" "$HOLDFAST_PID" "$HOLDFAST_START_TIME" ;;
  revert)
    # While the killed process still shuts down, its unit counts as active and a start would do nothing. The watchdog
    # asks again until another process listens.
    if [ "$HOLDFAST_RESTART" = rollback ] && gone 2 && ! active; then
      # A store that loads its data can take long to be active. The order stands even if we stop waiting for it; the
      # watchdog waits for the port. A machine that goes down starts nothing any more; its next start does.
      timeout 2 systemctl start "$HOLDFAST_UNIT" || [ $? -eq 124 ] || [ "$(systemctl is-system-running)" = stopping ]
    fi
    ;;
  # `applied` means: the undo has still to be done.
  status) if [ "$HOLDFAST_RESTART" = rollback ] && ! { gone 0 && active; }; then echo applied; else echo absent; fi ;;
  *) echo 'usage: process-kill.sh apply|revert|status' >&2; exit 2 ;;
esac
