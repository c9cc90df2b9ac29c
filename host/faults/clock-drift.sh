#!/bin/bash
# clock-drift.sh apply | revert | status: stops NTP and steps the clock by HOLDFAST_OFFSET_MS, once; the way back sets it
# by the boot clock (HOLDFAST_ANCHOR_NS) and starts the services of HOLDFAST_NTP, which were active before.
# The step itself tells the kernel that its clock is not synchronised, so it is never written into the hardware's.
set -euo pipefail
cd "$(dirname "$0")/.."
IFS=' ' read -r -a services <<<"$HOLDFAST_NTP"
is_back=/run/holdfast/$HOLDFAST_FAULT_ID/clock-is-back

clock() { /usr/bin/python3 -E -s -B -m kinds.clock_drift "$1"; }

# Once: while NTP does not come back this is asked again and again, and from then on the clock is somebody else's to set.
set_back() {
  if [ -e "$is_back" ]; then return; fi
  clock back
  : >"$is_back" || true # the way back does not end here
}

# Is NTP as it was?
ntp_is_back() {
  local unit
  for unit in "${services[@]}"; do systemctl --quiet is-active "$unit" || return 1; done
}

start_ntp() {
  # The watchdog waits for it. A machine that goes down starts nothing any more; its next start does.
  systemctl --no-block start "${services[@]}" || [ "$(systemctl is-system-running)" = stopping ]
}

case ${1-} in
  apply)
    # Stopped, never disabled: a reboot starts it again.
    if [ ${#services[@]} -gt 0 ]; then systemctl stop "${services[@]}"; fi
    clock step
    ;;
  revert)
    if [ ${#services[@]} -eq 0 ]; then
      set_back
    elif ! ntp_is_back; then
      set_back
      start_ntp
    elif [ "$(clock state)" = drifted ]; then
      # A service that is back may have corrected the clock since: only the fault's own step is taken back.
      set_back
    fi
    ;;
  status) if ! ntp_is_back || [ "$(clock state)" = drifted ]; then echo applied; else echo absent; fi ;;
  *) echo 'usage: clock-drift.sh apply|revert|status' >&2; exit 2 ;;
esac
