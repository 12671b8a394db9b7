#!/bin/sh
# record.sh FILE TEXT...: FILE says how what depends on it is compiled, so it is written only where that changed: then
# make compiles those objects anew.
set -eu
file=$1
shift
mkdir -p "${file%/*}"
printf '%s\n' "$@" >"$file.$$"
if cmp -s "$file.$$" "$file"; then rm -f "$file.$$"; else mv -f "$file.$$" "$file"; fi
