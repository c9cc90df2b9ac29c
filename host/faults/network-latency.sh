#!/bin/bash
# network-latency.sh apply | revert | status: packets of this host to its peers leave HOLDFAST_LATENCY_MS later, give or
# take up to HOLDFAST_JITTER_MS.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/qdisc.sh
. ./qdisc.sh

case ${1-} in
  apply)
    delay=(delay "${HOLDFAST_LATENCY_MS}ms")
    if [ "$HOLDFAST_JITTER_MS" -gt 0 ]; then delay+=("${HOLDFAST_JITTER_MS}ms" "$HOLDFAST_CORRELATION%"); fi
    install_queues "${delay[@]}"
    ;;
  revert) remove_queues ;;
  status) interfaces=$(queued_interfaces); if [ -n "$interfaces" ]; then echo applied; else echo absent; fi ;;
  *) echo 'usage: network-latency.sh apply|revert|status' >&2; exit 2 ;;
esac
