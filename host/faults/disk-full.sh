#!/bin/bash
# disk-full.sh apply | revert | status: an unlinked open file fills the volume of HOLDFAST_DIRECTORY. The end of the process
# that holds it, which every way back brings about first, is the whole undo.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=host/worker.sh
. ./worker.sh

case ${1-} in
  apply)
    has_worker ||
      start_worker fill_disk "$HOLDFAST_DIRECTORY" "$HOLDFAST_DEVICE" "$HOLDFAST_BYTES" "$HOLDFAST_PERCENT" "$HOLDFAST_RESERVE_BYTES"
    ;;
  revert) if has_worker; then echo 'the file is still held' >&2; exit 1; fi ;;
  status) if has_worker; then echo applied; else echo absent; fi ;;
  *) echo 'usage: disk-full.sh apply|revert|status' >&2; exit 2 ;;
esac
