#!/bin/bash
# fence.sh apply | revert | status: keeps clients away from the store of this host while a fault is taken back.
# Loopback, the shard (HOLDFAST_SHARD: Sentinels and replicas must find each other) and exempt addresses pass.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=host/rules.sh
. ./rules.sh

CHAIN=$(chain_name hff)

rules_of() {
  local family=$1 address
  echo "-A $CHAIN-i -i lo -j RETURN"
  while read -r address; do echo "-A $CHAIN-i -s $address -j RETURN"; done \
    < <(for_family "$family" "$HOLDFAST_EXEMPT"; for_family "$family" "$HOLDFAST_SHARD")
  # Requests are enough: a write that cannot arrive cannot be acknowledged.
  echo "-A $CHAIN-i -p tcp -m tcp --dport ${HOLDFAST_STORE_PORTS%%,*} -j DROP"
}

case ${1-} in
  apply) install "$CHAIN" ;;
  revert) remove "$CHAIN" ;;
  status) say_status "$CHAIN" ;;
  *) echo 'usage: fence.sh apply|revert|status' >&2; exit 2 ;;
esac
