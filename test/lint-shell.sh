#!/bin/sh
set -eu
exec shellcheck -x lab/*.sh test/*.sh test/commands/*.sh test/guest/machine/*.sh host/*.sh
