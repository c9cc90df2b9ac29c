#!/bin/sh
# The dependency rules of .dependency-cruiser.cjs over the named folders. Seeing no file is a failure: a cruiser that
# cannot read this TypeScript finds no violation either, and says so with exit code 0.
set -u
report=$(depcruise --config .dependency-cruiser.cjs "$@")
code=$?
echo "$report"
[ "$code" -eq 0 ] || exit "$code"
echo "$report" | grep -Eq '\([1-9][0-9]* modules' || { echo 'dependency rules: no module was read' >&2; exit 1; }
