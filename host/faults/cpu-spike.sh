#!/bin/bash
# cpu-spike.sh apply | revert | status: HOLDFAST_CORES processors are busy for HOLDFAST_LOAD_PCT of the time, in a control
# group that gives the load no more than that.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/cgroup.sh
. ./cgroup.sh
# shellcheck source=host/worker.sh
. ./worker.sh

PERIOD_US=100000

apply() {
  local percent
  whole_numbers "$HOLDFAST_CORES" "$HOLDFAST_LOAD_PCT" || return 1
  percent=$((HOLDFAST_CORES * HOLDFAST_LOAD_PCT))
  limit 1 cpu.cfs_period_us "$PERIOD_US"
  limit 1 cpu.cfs_quota_us "$((percent * PERIOD_US / 100))"
  limit 2 CPUQuota "$percent%"
  # A group has the weight of one process: on each of its cores the load competes as if it had no group.
  limit 1 cpu.shares "$((HOLDFAST_CORES * 1024))"
  limit 2 CPUWeight "$((HOLDFAST_CORES < 100 ? HOLDFAST_CORES * 100 : 10000))"
  in_group start_worker burn "$HOLDFAST_CORES" "$HOLDFAST_LOAD_PCT"
}

case ${1-} in
  apply) has_worker || apply ;;
  revert) remove_groups ;;
  status) say_group_status ;;
  *) echo 'usage: cpu-spike.sh apply|revert|status' >&2; exit 2 ;;
esac
