#!/bin/bash
# Modules, addresses, the data volume and rules of someone else. Two interfaces: vec0 is the wire with the peers, the client
# and the AWS side; vec1 a second one with peers of its own.
set -eu
modprobe -a ipv6 sch_netem sch_prio cls_u32 iptable_filter ip6table_filter xt_comment xt_statistic xt_multiport
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
ip link set lo up
ip addr add 10.99.0.1/24 dev vec0
ip addr add 10.98.0.1/24 dev vec1
ip link set vec0 up
ip link set vec1 up
ip addr add fd99::1/64 dev vec0 nodad
ip addr add fd98::1/64 dev vec1 nodad
iptables -A INPUT -s 192.0.2.9 -j DROP
iptables -A OUTPUT -d 192.0.2.9 -j DROP
mount /dev/ubdb /var/lib/redis
chown redis:redis /var/lib/redis
mkdir -p /run/files
