#!/bin/bash
# memory-pressure.sh apply | revert | status: HOLDFAST_BYTES of memory are held, or what leaves HOLDFAST_RESERVE_BYTES, in
# a control group that gives the load no more than that.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/cgroup.sh
. ./cgroup.sh
# shellcheck source=host/worker.sh
. ./worker.sh

SLACK_BYTES=67108864 # the program that holds the memory

apply() {
  local most
  whole_numbers "$HOLDFAST_BYTES" || return 1
  most=$((HOLDFAST_BYTES + SLACK_BYTES))
  limit 1 memory.limit_in_bytes "$most"
  limit 2 MemoryMax "$most"
  # What is swapped out presses on nobody.
  limit 1 memory.swappiness 0
  limit 2 MemorySwapMax 0
  in_group start_worker hold_memory "$HOLDFAST_BYTES" "$HOLDFAST_RESERVE_BYTES"
}

case ${1-} in
  apply) has_worker || apply ;;
  revert) remove_groups ;;
  status) say_group_status ;;
  *) echo 'usage: memory-pressure.sh apply|revert|status' >&2; exit 2 ;;
esac
