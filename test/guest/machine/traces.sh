#!/bin/bash
# What a test may leave behind in the guest, as text: the same before it and after it, or the guest is reset.
{ tc qdisc show dev vec0; tc qdisc show dev vec1; } 2>&1
for tool in iptables-legacy-save ip6tables-legacy-save; do "$tool" | grep ^-A; done
cut -d' ' -f1-3 /proc/mounts | grep -v -e /proc/sys/fs/binfmt_misc -e /run/credentials | sort
ls -A /run/systemd/transient /var/lib/redis 2>/dev/null
ls -d /sys/fs/cgroup/holdfast-* /sys/fs/cgroup/*/holdfast-* 2>/dev/null
systemctl is-active redis-server chrony
systemctl --failed --plain --no-legend
true
