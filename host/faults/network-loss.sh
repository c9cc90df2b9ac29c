#!/bin/bash
# network-loss.sh apply | revert | status: HOLDFAST_LOSS per cent of the packets of this host to its peers are lost, by
# HOLDFAST_MECHANISM: netem, or netfilter on a kernel without it. The way back looks for both.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/qdisc.sh
. ./qdisc.sh
# shellcheck source=host/rules.sh
. ./rules.sh

CHAIN=$(chain_name hf)

rules_of() {
  local address loss
  loss=$(loss_match "$HOLDFAST_LOSS")
  while read -r address; do
    echo "-A $CHAIN-o -d $address ${loss}-j DROP"
    echo "-A $CHAIN-f -d $address ${loss}-j DROP"
  done < <(for_family "$1" "$HOLDFAST_PEERS")
}

case ${1-} in
  apply)
    case $HOLDFAST_MECHANISM in
      netem) install_queues loss random "$HOLDFAST_LOSS%" "$HOLDFAST_CORRELATION%" ;;
      netfilter) install "$CHAIN" ;;
      *) echo 'HOLDFAST_MECHANISM: netem or netfilter' >&2; exit 2 ;;
    esac
    ;;
  revert)
    failed=0
    remove_queues || failed=1
    remove "$CHAIN" || failed=1
    exit "$failed"
    ;;
  status)
    interfaces=$(queued_interfaces)
    if [ -n "$interfaces" ]; then echo applied; else say_status "$CHAIN"; fi
    ;;
  *) echo 'usage: network-loss.sh apply|revert|status' >&2; exit 2 ;;
esac
