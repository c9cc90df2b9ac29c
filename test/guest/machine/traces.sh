#!/bin/bash
# What a test may leave behind in the guest, as text: the same before it and after it, or the guest is reset.
{ tc qdisc show dev vec0; tc qdisc show dev vec1; } 2>&1
for tool in iptables-legacy-save ip6tables-legacy-save; do
    rules=$("$tool") || exit 1
    grep ^-A <<<"$rules"
done
cut -d' ' -f1-3 /proc/mounts | grep -v -e /proc/sys/fs/binfmt_misc -e /run/credentials | sort
# Each by itself: together they are listed with their names, and the first one is not there before the first unit.
ls -A /run/systemd/transient 2>/dev/null
ls -A /var/lib/redis
ls -d /sys/fs/cgroup/holdfast-* /sys/fs/cgroup/*/holdfast-* 2>/dev/null
systemctl is-active redis-server chrony
systemctl --failed --plain --no-legend
true
