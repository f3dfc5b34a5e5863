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
printf 'pass\nprint(1 + 1)\n' >"$work/empty.src"
valgrind --tool=callgrind --demangle=no --callgrind-out-file="$work/calls" "$work/minivm" "$work/empty.src" >/dev/null 2>&1
sed -nE "s/^c?fn=\([0-9]+\) (_Z[A-Za-z0-9_.]*|__cxa_[a-z_]*).*/\1/p" "$work/calls" | sort -u >"$work/run"
# A constructor has two names and is laid under the one that callgrind does not tell: every name at an address counts.
nm --defined-only "$work/minivm" | sort |
  awk 'NR == FNR { run[$1]; next }
       $1 != at { if (hit) printf "%s", names; at = $1; names = ""; hit = 0 }
       { names = names $3 "\n"; if ($3 in run) hit = 1 }
       END { if (hit) printf "%s", names }' "$work/run" - | sort -u >"$work/names"
{
  echo "/* Made by tools/startup_order.sh: what an empty program runs, side by side, so that few pages of the"
  echo "   binary are touched at start. Used for the executable where the linker is GNU ld. */"
  echo "SECTIONS { .text.at_start : {"
  echo "  *(.text.startup .text.startup.*)"
  sed "s/.*/  *(.text.&)/" "$work/names"
  echo "} } INSERT BEFORE .text;"
} >"$out"
echo "$out: $(grep -c '\*(.text' "$out") functions"
