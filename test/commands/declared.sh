#!/bin/sh
# declared.sh WHERE COMMAND...: runs COMMAND where no command can be found but those that lab/commands.txt declares for
# WHERE (`lab,test`, `image`) and those of npm.
#
# Root gets a mount namespace in which links to the declared commands take the place of /usr/bin and /usr/sbin: the host
# program sets a PATH of its own, and tests use whole paths. For others it is the PATH alone.
set -eu
checkout=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=lab/commands.sh
. "$checkout/lab/commands.sh"

if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    trap : INT TERM
    link_commands "$1" "$folder" ''
    shift
    PATH="$checkout/node_modules/.bin:$folder/usr/bin:$folder/usr/sbin:$folder/bin:$folder/sbin:$folder/usr/local/bin" "$@"
    exit
fi

if [ "$1" != --hidden ]; then exec unshare --mount sh "$0" --hidden "$@"; fi
folder=$checkout/.cache/commands
mkdir -p "$folder"
mount -t tmpfs -o mode=755 commands "$folder"
link_commands "$2" "$folder" /usr/bin/.machine
sh "$checkout/test/commands/hide.sh" "$folder"
umount -R "$folder"
shift 2
export PATH="$checkout/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
exec "$@"
