#!/bin/bash
# network-partition.sh apply | revert | status: this host, with what it forwards for containers, and its peers no longer
# hear each other: HOLDFAST_LOSS per cent of the packets in HOLDFAST_DIRECTION (in: what arrives from the peers, out:
# what is sent to them, both), of every protocol or of HOLDFAST_PORTS alone. Clients do not reach HOLDFAST_CLIENT_PORTS.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/rules.sh
. ./rules.sh

CHAIN=$(chain_name hf)

rules_of() {
  local family=$1 address match loss
  local -a matches=('')
  loss=$(loss_match "$HOLDFAST_LOSS")
  if [ -n "$HOLDFAST_PORTS" ]; then
    matches=("-p tcp -m multiport --ports $HOLDFAST_PORTS " "-p udp -m multiport --ports $HOLDFAST_PORTS ")
  fi
  # Order is the promise: loopback and what must never be cut leave the chain before anything is dropped.
  arriving "-A $CHAIN-i -i lo -j RETURN"
  sent "-A $CHAIN-o -o lo -j RETURN"
  while read -r address; do
    arriving "-A $CHAIN-i -s $address -j RETURN"
    sent "-A $CHAIN-o -d $address -j RETURN"
    printf -- '-A %s -j RETURN\n' "$CHAIN-f -s $address" "$CHAIN-f -d $address"
  done < <(for_family "$family" "$HOLDFAST_EXEMPT")
  while read -r address; do
    for match in "${matches[@]}"; do
      arriving "-A $CHAIN-i -s $address $match${loss}-j DROP" "-A $CHAIN-f -s $address $match${loss}-j DROP"
      sent "-A $CHAIN-o -d $address $match${loss}-j DROP" "-A $CHAIN-f -d $address $match${loss}-j DROP"
    done
  done < <(for_family "$family" "$HOLDFAST_PEERS")
  if [ -n "$HOLDFAST_CLIENT_PORTS" ]; then
    arriving "-A $CHAIN-i -p tcp -m multiport --dports $HOLDFAST_CLIENT_PORTS ${loss}-j DROP"
    sent "-A $CHAIN-o -p tcp -m multiport --sports $HOLDFAST_CLIENT_PORTS ${loss}-j DROP"
  fi
}

arriving() { if [ "$HOLDFAST_DIRECTION" != out ]; then printf '%s\n' "$@"; fi; }
sent() { if [ "$HOLDFAST_DIRECTION" != in ]; then printf '%s\n' "$@"; fi; }

case ${1-} in
  apply) install "$CHAIN" ;;
  revert) remove "$CHAIN" ;;
  status) say_status "$CHAIN" ;;
  *) echo 'usage: network-partition.sh apply|revert|status' >&2; exit 2 ;;
esac
