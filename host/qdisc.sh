# shellcheck shell=bash
# netem for the packets to the peers alone, on HOLDFAST_INTERFACES, shared by latency and loss. In the place of the
# kernel's default queue, which the kernel makes again when ours is deleted:
#
#   root prio ROOT:   bands 1 to 3 by the kernel's own priority map, for everything that is not meant
#     band 4          netem, reached through one u32 filter for each address of a peer
#
# ROOT is made of the fault's id, between 4000: and 7ffe: (the kernel's own numbers begin at 8000:), and netem's handle
# is the next one: so they can be found and removed when everything else is lost, and are taken for nobody else's.

digest=$(printf '%s' "$HOLDFAST_FAULT_ID" | sha256sum)
printf -v ROOT '%x' $((0x${digest:0:4} & 0x3ffe | 0x4000))
printf -v NETEM '%x' $((0x$ROOT + 1))
PRIORITY_MAP='1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1'
# More packets than a link sends within the longest delay: the delay must not become a loss.
LIMIT_PACKETS=100000
DRAIN_HUNDREDTHS=100

# queued_interfaces: the interfaces whose root is ours. Fails when that cannot be read: what was not seen is not gone.
queued_interfaces() {
  tc qdisc show | awk -v root="$ROOT:" '
    $1 == "qdisc" && $2 == "prio" && $3 == root && $4 == "dev" && $6 == "root" { print $5 }'
}

# queue INTERFACE NETEM_OPTION…: the commands for `tc -batch`
queue() {
  local interface=$1 address match
  shift
  echo "qdisc add dev $interface root handle $ROOT: prio bands 4 priomap $PRIORITY_MAP"
  echo "qdisc add dev $interface parent $ROOT:4 handle $NETEM: netem limit $LIMIT_PACKETS $*"
  local IFS=,
  for address in $HOLDFAST_PEERS; do
    case $address in
      *:*) match="protocol ipv6 prio 2 u32 match ip6 dst $address/128" ;;
      *) match="protocol ip prio 1 u32 match ip dst $address/32" ;;
    esac
    echo "filter add dev $interface parent $ROOT: $match flowid $ROOT:4"
  done
}

# install_queues NETEM_OPTION…: idempotent. `add` fails where someone else's root has come in the meantime.
install_queues() {
  local interface
  local -a interfaces
  delete_queues || return 1
  IFS=, read -ra interfaces <<<"${HOLDFAST_INTERFACES:?}"
  for interface in "${interfaces[@]}"; do queue "$interface" "$@" | tc -batch - || return 1; done
}

# remove_queues: new packets pass at once, and those that wait in netem may leave for a second: taking back should not
# lose them. Idempotent.
remove_queues() {
  local interface interfaces until
  interfaces=$(queued_interfaces) || return 1
  for interface in $interfaces; do tc filter del dev "$interface" parent "$ROOT:" || true; done
  until=$(($(hundredths) + DRAIN_HUNDREDTHS))
  for interface in $interfaces; do
    while is_waiting "$interface" && [ "$(hundredths)" -lt "$until" ]; do sleep 0.01; done
  done
  delete_queues
}

# hundredths: of a second since boot; bash's own SECONDS follows the wall clock
hundredths() {
  local up
  read -r up _ </proc/uptime
  echo $((10#${up/./}))
}

# is_waiting INTERFACE: is a packet left in our netem?
is_waiting() {
  tc -s qdisc show dev "$1" | awk -v netem="$NETEM:" '
    $1 == "qdisc" { ours = $3 == netem }
    ours && $1 == "backlog" && $3 != "0p" { found = 1 }
    END { exit !found }'
}

# delete_queues: the handle in the command makes the kernel refuse when the root is no longer ours.
delete_queues() {
  local interface interfaces failed=0
  interfaces=$(queued_interfaces) || return 1
  for interface in $interfaces; do tc qdisc del dev "$interface" root handle "$ROOT:" prio || failed=1; done
  return "$failed"
}
