#!/bin/bash
# disk-io.sh apply | revert | status: HOLDFAST_WORKERS processes write and read on the volume of HOLDFAST_DIRECTORY, together
# HOLDFAST_BYTES_PER_SECOND at most; where its disk (HOLDFAST_DISK) can be throttled, no more is let through, either.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/cgroup.sh
. ./cgroup.sh
# shellcheck source=host/worker.sh
. ./worker.sh

apply() {
  local rate=$HOLDFAST_BYTES_PER_SECOND
  if [ -n "${HOLDFAST_CGROUP-}" ]; then
    limit 1 blkio.throttle.read_bps_device "$HOLDFAST_DISK $rate"
    limit 1 blkio.throttle.write_bps_device "$HOLDFAST_DISK $rate"
    limit 2 IOReadBandwidthMax "/dev/block/$HOLDFAST_DISK $rate"
    limit 2 IOWriteBandwidthMax "/dev/block/$HOLDFAST_DISK $rate"
  fi
  in_group start_worker load_disk "$HOLDFAST_DIRECTORY" "$HOLDFAST_DEVICE" "$HOLDFAST_WORKERS" "$rate" "$HOLDFAST_FILE_BYTES" \
    "$HOLDFAST_KEPT_BYTES"
}

case ${1-} in
  apply) has_worker || apply ;;
  revert) remove_groups ;;
  status) if has_worker; then echo applied; else say_group_status; fi ;;
  *) echo 'usage: disk-io.sh apply|revert|status' >&2; exit 2 ;;
esac
