#!/bin/bash
# Builds the root file system of the guest kernel: `build-root.sh CACHE`. Prints the image file; what is there already is
# taken. Its name holds the hash of everything that is in it, so a change of this directory builds a new one. Its packages
# and commands are those of lab/commands.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../../.." && pwd)
mkdir -p "$1"
cache=$(cd "$1" && pwd)
# shellcheck source=lab/commands.sh
. "$checkout/lab/commands.sh"

packages=$(declared guest | cut -d' ' -f1 | sort -u | tr '\n' ,)
# What a test host has no use for and takes seconds of each boot.
masked=(systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket
    systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-logind.service
    systemd-journal-flush.service systemd-machine-id-commit.service systemd-remount-fs.service systemd-sysctl.service
    systemd-user-sessions.service systemd-binfmt.service systemd-tmpfiles-clean.timer systemd-pcrphase.service
    systemd-sysusers.service systemd-modules-load.service systemd-firstboot.service dev-hugepages.mount dev-mqueue.mount
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount getty.target console-getty.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
    "modprobe@.service" proc-sys-fs-binfmt_misc.automount)

release=$(. /etc/os-release && echo "$VERSION_CODENAME")
modules=$(echo /usr/lib/uml/modules/*)
hash=$({ echo "$release $modules"; declared guest; cat "$checkout"/{lab/commands.sh,test/commands/hide.sh} \
    "$here"/{build-root.sh,agent.py,prepare.sh,traces.sh,*.service}; } | sha256sum | cut -c1-12)
root=$cache/root-$hash.img
if [ -e "$root" ]; then
    echo "$root"
    exit 0
fi
command -v mmdebstrap >/dev/null || {
    echo 'the image of the guest kernel is not built yet: npm run guest-image' >&2
    exit 1
}
exec 9>"$cache/lock"
flock 9
if [ -e "$root" ]; then
    echo "$root"
    exit 0
fi
rm -rf "$cache"/new-* "$cache"/root-*
new=$cache/new-$$
trap 'rm -rf "$new" "$new.img"' EXIT
# Where this machine gets its own packages from, without other vendors' archives.
# shellcheck disable=SC2016 # apt's own variables
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    grep -E " $release(-updates|-security)? main\$" | sort -u >"$cache/sources.list"
echo "guest: building its root file system, about a minute (once)" >&2
if ! mmdebstrap --quiet --variant=minbase --include="${packages%,}" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "$release" "$new" "$cache/sources.list" >"$cache/build.log" 2>&1; then
    cat "$cache/build.log" >&2
    exit 1
fi
mkdir -p "$new/usr/lib/modules"
cp -a "$modules" "$new/usr/lib/modules/"
for tool in iptables ip6tables; do chroot "$new" update-alternatives --quiet --set "$tool" "/usr/sbin/$tool-legacy"; done
install -D -m 755 "$here"/{agent.py,prepare.sh,traces.sh} -t "$new/usr/local/lib/guest"
install -m 755 "$checkout"/test/commands/hide.sh -t "$new/usr/local/lib/guest"
link_commands guest "$new/usr/local/lib/guest/commands" /usr/bin/.machine "$new"
install -m 644 "$here"/guest-*.service -t "$new/etc/systemd/system"
for unit in "${masked[@]}"; do ln -sf /dev/null "$new/etc/systemd/system/$unit"; done
ln -sf multi-user.target "$new/etc/systemd/system/default.target"
mkdir -p "$new/etc/systemd/system/multi-user.target.wants"
for unit in guest-agent guest-prepare chrony redis-server; do
    file=/lib/systemd/system/$unit.service
    [ -e "$new$file" ] || file=/etc/systemd/system/$unit.service
    ln -sf "$file" "$new/etc/systemd/system/multi-user.target.wants/$unit.service"
done
echo guest >"$new/etc/hostname"
echo '127.0.0.1 localhost guest' >"$new/etc/hosts"
: >"$new/etc/resolv.conf"
echo 0123456789abcdef0123456789abcdef >"$new/etc/machine-id"
mkdir -p "$new/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n' >"$new/etc/systemd/journald.conf.d/guest.conf"
# A time source that never answers: chrony runs, and whatever sets the clock right is ours.
printf 'server 192.0.2.123 iburst\ndriftfile /var/lib/chrony/drift\ncmdport 0\n' >"$new/etc/chrony/chrony.conf"
sed -i -E 's/^bind .*/bind * -::*/; s/^protected-mode .*/protected-mode no/; s/^# *save .*|^save .*//' "$new/etc/redis/redis.conf"
echo 'save ""' >>"$new/etc/redis/redis.conf"
truncate -s 1G "$new.img"
mkfs.ext4 -q -F -m 0 -d "$new" "$new.img"
mv "$new.img" "$root"
echo "$root"
