#!/bin/bash
# The machine of the guest kernel: `boot.sh ROOT`, the first process of namespaces of its own (network, mounts,
# processes), so that all of it dies with it. ROOT is only read: what the guest writes goes to memory, and is there after
# a reboot. File descriptor 3 is the guest's serial port.
set -euo pipefail
root=$1

mount -t tmpfs none /mnt
mkdir /mnt/{tmp,uml}
# It stays when the cache is emptied meanwhile: a reboot opens it again.
touch /mnt/root
mount --bind "$root" /mnt/root
truncate -s 256M /mnt/data
mkfs.ext4 -q -F -m 0 /mnt/data

ip link set lo up
sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.default.accept_dad=0
for wire in 0 1; do
    ip tuntap add "wire$wire" mode tap
    ip link set "wire$wire" up
    for last in 2 3 4; do
        ip addr add "10.9$((9 - wire)).0.$last/24" dev "wire$wire"
        ip addr add "fd9$((9 - wire))::$last/64" dev "wire$wire" nodad
    done
done

export TMPDIR=/mnt/tmp HOME=/mnt
exec "${0%/*}/kernel.sh" mem=512M uml_dir=/mnt/uml umid=guest \
    ubda=/mnt/written,/mnt/root ubdb=/mnt/data root=/dev/ubda rootfstype=ext4 rw \
    vec0:transport=tap,ifname=wire0,depth=64,mac=52:54:00:00:00:01 \
    vec1:transport=tap,ifname=wire1,depth=64,mac=52:54:00:00:00:02 \
    con=null con0=null,fd:1 ssl=null ssl0=fd:3 loglevel=5 \
    systemd.show_status=0 systemd.log_target=kmsg systemd.log_level=info audit=0 selinux=0
