#!/bin/bash
# The Run Command: writes the program below /run and becomes it. Parameters come as SSM_<name> in the environment.
# The program is host/ of the repository, here without comments; where it ran: ls /run/holdfast/program/*
set -euo pipefail
umask 077
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
programs=/run/holdfast/program
mkdir -p "$programs"
staging=$(mktemp -d "$programs/.new.XXXXXX")
cd "$staging"
#@FILES@
program=$programs/$(find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
# In one step: another command may be running this very program.
mv -T "$staging" "$program" 2>/dev/null || rm -rf "$staging"
cd /
exec /usr/bin/python3 -E -s -B "$program/watchdog.py" "${SSM_verb:-inject}"
