#!/usr/bin/env bash
# Renews tools/startup_order.ld: the functions that an empty program runs, to be laid side by side.
#
# `tools/startup_order.sh [BUILD]` links the objects of a release build (default build/release) once
# more with their names, lists what callgrind (valgrind) sees of an empty program, and writes the list
# as a linker script. Names that no longer exist do no harm, new ones are only laid elsewhere: run it
# when the start of the interpreter has changed much.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=$(cd "${1:-build/release}" && pwd)
out=$PWD/tools/startup_order.ld
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

link=$(ninja -C "$build" -t commands minivm | tail -n 1)
link=${link#: && }
link=${link% && :}
link=$(sed -e 's/ -s / /' -e "s#-o minivm #-o $work/minivm #" <<<"$link")
(cd "$build" && eval "$link")
: >"$work/empty.src"
valgrind --tool=callgrind --demangle=no --callgrind-out-file="$work/calls" "$work/minivm" "$work/empty.src" 2>/dev/null
{
  echo "/* Made by tools/startup_order.sh: what an empty program runs, side by side, so that few pages of the"
  echo "   binary are touched at start. Used for the executable where the linker is GNU ld. */"
  echo "SECTIONS { .text.at_start : {"
  sed -nE "s/^c?fn=\([0-9]+\) (_Z[A-Za-z0-9_.]*|main).*/  *(.text.\1)/p" "$work/calls" | sort -u
  echo "} } INSERT BEFORE .text;"
} >"$out"
echo "$out: $(grep -c '\*(.text' "$out") functions"
