#!/bin/sh
# Prepares this machine for the named part of the project: missing npm and Debian packages, nothing else. Quiet and
# quick when all is there. Run by the npm scripts before the part itself: `sh lab/setup.sh lab`.
#
#   lab       what the lab runs on real hosts: Redis, Prometheus, namespaces, firewall
#   test      the same and what checks the code; on a machine that can have no lab, the packages only (the tests say so)
#   packages  node_modules only
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

# need COMMAND PACKAGE: remembers PACKAGE when COMMAND is missing.
missing=
need() { command -v "$1" >/dev/null 2>&1 || case " $missing " in *" $2 "*) ;; *) missing="$missing $2" ;; esac; }

install_npm_packages() {
    [ -z "$(find node_modules/.package-lock.json -newer package-lock.json 2>/dev/null)" ] || return 0
    started=$(date +%s)
    # Not `npm ci`: it refuses a lock file that lacks the packages of other platforms. The versions are the lock's here too.
    if ! npm install --no-save --no-audit --no-fund --loglevel=error >"$logs/npm" 2>&1; then
        cat "$logs/npm" >&2
        return 1
    fi
    # npm keeps the times of files it did not need to write.
    touch node_modules/.package-lock.json
    say "npm packages installed ($(($(date +%s) - started)) s)"
}

install_debian_packages() {
    [ -n "$missing" ] || return 0
    started=$(date +%s)
    export DEBIAN_FRONTEND=noninteractive
    # The packages would start their daemons on this machine; the lab starts its own, inside. Without a policy of the
    # machine's own, one that says no stands there until the packages are in.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' INT TERM HUP
    fi
    # shellcheck disable=SC2086 # a list of words
    if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$logs/apt" 2>&1; then
        cat "$logs/apt" >&2
        say "could not install:$missing"
        return 1
    fi
    say "installed$missing ($(($(date +%s) - started)) s)"
}

part=${1:-}
can_have_lab() { [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ]; }
if [ "$part" = test ] && ! can_have_lab; then part=packages; fi
case "$part" in
lab | test)
    [ "$(uname -s)" = Linux ] || die "the lab needs Linux: it is made of network namespaces"
    [ "$(id -u)" = 0 ] || die "the lab needs root: it makes network namespaces and firewall rules (try sudo)"
    PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
    need redis-server redis-server
    need redis-cli redis-tools
    need prometheus prometheus
    need ip iproute2
    need tc iproute2
    need iptables iptables
    need openssl openssl
    need /usr/bin/python3 python3
    need setpriv util-linux
    need nsenter util-linux
    need ps procps
    [ "$part" = lab ] || need shellcheck shellcheck
    if [ -n "$missing" ] && ! command -v apt-get >/dev/null 2>&1; then
        die "missing:$missing; only Debian and its kin can be set up by this script, install these yourself"
    fi
    unshare --net --mount --pid --fork true 2>/dev/null ||
        die "this kernel or container does not allow new namespaces; use a machine or a privileged container"
    ;;
packages) ;;
*) die "usage: setup.sh lab|test|packages" ;;
esac

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# A job in the background does not hear Ctrl-C.
npm_job=
trap '[ -z "$npm_job" ] || kill "$npm_job" 2>/dev/null; exit 130' INT TERM HUP
install_npm_packages &
npm_job=$!
status=0
(install_debian_packages) || status=$?
wait "$npm_job" || status=$?
exit "$status"
