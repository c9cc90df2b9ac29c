#!/bin/bash
# network-partition.sh apply | revert | status: this host and its peers no longer hear each other (every protocol, both
# ways, HOLDFAST_LOSS per cent of the packets); with HOLDFAST_SCOPE=isolate clients of the store do not either.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/rules.sh
. ./rules.sh

CHAIN=$(chain_name hf)

rules_of() {
  local family=$1 address loss=''
  if [ "$HOLDFAST_LOSS" -lt 100 ]; then
    loss=$(printf -- '-m statistic --mode random --probability 0.%02d ' "$HOLDFAST_LOSS")
  fi
  # Order is the promise: loopback and what must never be cut leave the chain before anything is dropped.
  echo "-A $CHAIN-i -i lo -j RETURN"
  echo "-A $CHAIN-o -o lo -j RETURN"
  while read -r address; do
    echo "-A $CHAIN-i -s $address -j RETURN"
    echo "-A $CHAIN-o -d $address -j RETURN"
  done < <(for_family "$family" "$HOLDFAST_EXEMPT")
  while read -r address; do
    echo "-A $CHAIN-i -s $address ${loss}-j DROP"
    echo "-A $CHAIN-o -d $address ${loss}-j DROP"
  done < <(for_family "$family" "$HOLDFAST_PEERS")
  if [ "$HOLDFAST_SCOPE" = isolate ]; then
    echo "-A $CHAIN-i -p tcp -m multiport --dports $HOLDFAST_STORE_PORTS ${loss}-j DROP"
    echo "-A $CHAIN-o -p tcp -m multiport --sports $HOLDFAST_STORE_PORTS ${loss}-j DROP"
  fi
}

case ${1-} in
  apply) install "$CHAIN" ;;
  revert) remove "$CHAIN" ;;
  status) say_status "$CHAIN" ;;
  *) echo 'usage: network-partition.sh apply|revert|status' >&2; exit 2 ;;
esac
