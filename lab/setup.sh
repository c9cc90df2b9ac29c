#!/bin/sh
# Prepares this machine for the named part of the project: missing npm, Debian and Python packages, nothing else. Quiet and
# quick when all is there. Run by the npm scripts before the part itself: `sh lab/setup.sh lab`.
#
#   lab       what the lab runs on real hosts: Redis, Prometheus, namespaces, firewall; AWS's descriptions of its services
#   kafka     what a lab with brokers needs beside it: Java, jars, an archive of their classes. The lab asks for it by itself
#   cassandra the same for one with Cassandra's nodes
#   histories what judges the histories of probes a second time, compiled: test/histories
#   test      all of these and what checks the code; on a machine that can have no lab, the packages only (the tests say so)
#   packages  node_modules only
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

# shellcheck source=lab/commands.sh
checkout=$PWD && . lab/commands.sh

# need WHERE: remembers the packages of what is declared there and missing.
missing=
need() {
    # No pipe: a loop in a subshell would remember nothing.
    while read -r package commands; do
        for command in $commands; do
            find_command "$command" || case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
        done
    done <<END
$(declared "$1")
END
}

install_npm_packages() {
    [ -z "$(find node_modules/.package-lock.json -newer package-lock.json 2>/dev/null)" ] || return 0
    started=$(date +%s)
    # Not `npm ci`: it refuses a lock file that lacks the packages of other platforms. The versions are the lock's here too.
    # In a process group of its own (where there is setsid), so that all of it can be ended.
    # shellcheck disable=SC2086 # no word where it is missing
    ${new_group:-} npm install --no-save --no-audit --no-fund --loglevel=error >"$logs/npm" 2>&1 &
    npm=$!
    trap 'kill -s TERM -- "-$npm" 2>/dev/null || kill -TERM "$npm"; wait "$npm" || :; exit 143' TERM
    if ! wait "$npm"; then
        cat "$logs/npm" >&2
        return 1
    fi
    # npm keeps the times of files it did not need to write.
    touch node_modules/.package-lock.json
    say "npm packages installed ($(($(date +%s) - started)) s)"
}

policy=/usr/sbin/policy-rc.d
policy_mark='# Of lab/setup.sh while it installs, process'

# A run that was killed could not take its policy away. One whose process lives is still installing.
remove_stale_policy() {
    owner=$(sed -n "s|^$policy_mark ||p" "$policy" 2>/dev/null) || return 0
    [ -z "$owner" ] || kill -0 "$owner" 2>/dev/null || rm -f "$policy"
}

install_debian_packages() {
    [ -n "$missing" ] || return 0
    started=$(date +%s)
    export DEBIAN_FRONTEND=noninteractive
    # The packages would start their daemons on this machine; the lab starts its own, inside. Without a policy of the
    # machine's own, one that says no stands there until the packages are in.
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\n%s %s\nexit 101\n' "$policy_mark" "$$" >"$policy"
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
    # Nor at its next boot. Only what has just come: a daemon that was here before is somebody's.
    for daemon in redis-server prometheus prometheus-alertmanager prometheus-blackbox-exporter; do
        case " $missing " in
        *" $daemon "*) ! command -v systemctl >/dev/null 2>&1 || systemctl --quiet disable "$daemon" >&2 || return 1 ;;
        esac
    done
    say "installed$missing ($(($(date +%s) - started)) s)"
}

# install_python_packages LIST...: each list, exactly as it is pinned, into a directory of its own content in the user's cache,
# where lab/shared/python-packages.ts finds it.
install_python_packages() {
    for list; do
        content=$(sha256sum <"$list" | cut -c1-16)
        packages=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/python/$content
        [ ! -d "$packages" ] || continue
        started=$(date +%s)
        # Another run may do the same: what is whole is moved into place, and the first one stays.
        mkdir -p "${packages%/*}"
        new=$(mktemp -d "$packages.XXXXXX")
        if ! /usr/bin/python3 -m pip install --quiet --target "$new" --require-hashes --no-deps --only-binary :all: \
            -r "$list" >"$logs/pip" 2>&1; then
            rm -rf "$new"
            cat "$logs/pip" >&2
            say "could not install the packages of $list"
            return 1
        fi
        mv -T "$new" "$packages" 2>/dev/null || rm -rf "$new"
        say "Python packages of $list installed ($(($(date +%s) - started)) s)"
    done
}

# install_jars ENGINE: those of its pom, each held to its checksum, into a directory of their own in the user's cache, where
# lab/fleet/ENGINE/program.ts finds them.
install_jars() {
    lists=$checkout/lab/fleet/$1
    content=$(cat "$lists/pom.xml" "$lists/jars.sha256" | sha256sum | cut -c1-16)
    program=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/$1/$content
    if [ -d "$program" ]; then
        check_jars "$1" "$program" || { say "remove $program and try again"; return 1; }
        return 0
    fi
    started=$(date +%s)
    say "fetching the jars of $1"
    mkdir -p "${program%/*}"
    new=$(mktemp -d "$program.XXXXXX")
    chmod 755 "$new"
    if ! mvn --quiet --batch-mode --file "$lists/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$new/lib" >"$logs/mvn" 2>&1; then
        rm -rf "$new"
        cat "$logs/mvn" >&2
        say "could not fetch the jars of lab/fleet/$1/pom.xml"
        return 1
    fi
    check_jars "$1" "$new" || { rm -rf "$new"; return 1; }
    # Another run may do the same: the first one stays.
    mv -T "$new" "$program" 2>/dev/null || rm -rf "$new"
    say "jars of $1 fetched ($(($(date +%s) - started)) s)"
}

# check_jars ENGINE DIRECTORY: what is not as lab/fleet/ENGINE/jars.sha256 says is named, and runs nowhere.
check_jars() {
    (cd "$2/lib" && sha256sum --check --strict --quiet "$checkout/lab/fleet/$1/jars.sha256") >"$logs/sums" 2>&1 && return 0
    cat "$logs/sums" >&2
    say "the jars in $2 are not those of lab/fleet/$1/jars.sha256"
    return 1
}

# archive_classes ENGINE: once for these jars, this Java and these flags.
archive_classes() {
    key=$({ /usr/bin/java -version 2>&1 && cat "lab/fleet/$1/jvm.options"; } | sha256sum)
    [ "$(cat "$program/classes.key" 2>/dev/null)" != "$key" ] || return 0
    started=$(date +%s)
    say "archiving the classes of $1"
    # On a machine of its own: no port and no file of this one is touched.
    if ! unshare --net --mount --pid --fork --kill-child=SIGKILL --mount-proc \
        node_modules/.bin/node "lab/fleet/$1/archive-classes.ts" >"$logs/classes" 2>&1; then
        cat "$logs/classes" >&2
        say "could not archive the classes of $1"
        return 1
    fi
    echo "$key" >"$program/classes.key.$$"
    mv "$program/classes.key.$$" "$program/classes.key"
    say "classes of $1 archived ($(($(date +%s) - started)) s)"
}

# build_clock: what gives a host of the lab a clock of its own, where lab/fleet/hosts.ts finds it.
build_clock() {
    source=$checkout/lab/fleet/host/clock.c
    clock=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/clock/$(sha256sum <"$source" | cut -c1-16)
    [ ! -d "$clock" ] || return 0
    mkdir -p "${clock%/*}"
    new=$(mktemp -d "$clock.XXXXXX")
    chmod 755 "$new"
    if ! gcc -shared -fPIC -O2 -Wall -Wextra -Werror -o "$new/clock.so" "$source" >"$logs/gcc" 2>&1; then
        rm -rf "$new"
        cat "$logs/gcc" >&2
        say "could not compile lab/fleet/host/clock.c"
        return 1
    fi
    # Another run may do the same: the first one stays.
    mv -T "$new" "$clock" 2>/dev/null || rm -rf "$new"
}

# build_history_checker: where test/histories/judge.ts finds it. Go's own caches stay as they were.
build_history_checker() {
    sources=$checkout/test/histories/checker
    content=$(LC_ALL=C && cat "$sources"/* | sha256sum | cut -c1-16)
    checker=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/histories/$content
    [ ! -d "$checker" ] || return 0
    started=$(date +%s)
    mkdir -p "${checker%/*}"
    new=$(mktemp -d "$checker.XXXXXX")
    # What is vetted and built is what the lists pin: -mod=readonly, and the checksums of go.sum.
    if ! (
        cd "$sources"
        export GOPATH="$logs/go" GOCACHE="$logs/go-build" GOFLAGS='-mod=readonly -modcacherw' CGO_ENABLED=0
        /usr/bin/go vet . && /usr/bin/go build -o "$new/checker" .
    ) >"$logs/go-says" 2>&1; then
        rm -rf "$new"
        cat "$logs/go-says" >&2
        say "could not build test/histories/checker"
        return 1
    fi
    # Another run may do the same: the first one stays.
    mv -T "$new" "$checker" 2>/dev/null || rm -rf "$new"
    say "checker of histories built ($(($(date +%s) - started)) s)"
}

part=${1:-}
can_have_lab() { [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ]; }
case "$part" in test | histories) can_have_lab || part=packages ;; esac
case "$part" in
lab | test | kafka | cassandra | histories)
    [ "$(uname -s)" = Linux ] || die "the lab needs Linux: it is made of network namespaces"
    [ "$(id -u)" = 0 ] || die "the lab needs root: it makes network namespaces and firewall rules (try sudo)"
    PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
    remove_stale_policy
    need lab
    case "$part" in kafka | cassandra | histories) need "$part" ;; esac
    if [ "$part" = test ]; then
        need test
        # The guest kernel of the host tests; Debian alone has it. Elsewhere they say that they cannot run.
        case "$(. /etc/os-release && echo "$ID") $(uname -m)" in "debian x86_64") need uml,image ;; esac
    fi
    if [ -n "$missing" ] && ! command -v apt-get >/dev/null 2>&1; then
        die "missing:$missing; only Debian and its kin can be set up by this script, install these yourself"
    fi
    unshare --net --mount --pid --fork true 2>/dev/null ||
        die "this kernel or container does not allow new namespaces; use a machine or a privileged container"
    ;;
packages) ;;
*) die "usage: setup.sh lab|kafka|cassandra|histories|test|packages" ;;
esac

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
new_group=$(command -v setsid) || new_group=
# A job in the background does not hear Ctrl-C.
npm_job=
trap '[ -z "$npm_job" ] || { kill "$npm_job" 2>/dev/null; wait "$npm_job" || :; }; exit 130' INT TERM HUP
# A lab that asks for an engine runs with these packages already.
case "$part $(ls -d node_modules 2>&1)" in
'kafka node_modules' | 'cassandra node_modules') ;;
*)
    install_npm_packages &
    npm_job=$!
    ;;
esac
status=0
(install_debian_packages) || status=$?
# pip is one of the Debian packages.
case "$status $part" in
'0 lab') install_python_packages lab/requirements.txt || status=$? ;;
'0 test') install_python_packages lab/requirements.txt test/requirements.txt || status=$? ;;
esac
[ -z "$npm_job" ] || wait "$npm_job" || status=$?
case "$status $part" in
'0 cassandra' | '0 test') build_clock || status=$? ;;
esac
case "$status $part" in '0 histories') build_history_checker || status=$? ;; esac
for engine in kafka cassandra; do
    case "$status $part" in
    "0 $engine" | '0 test') { install_jars "$engine" && archive_classes "$engine"; } || status=$? ;;
    esac
done
exit "$status"
