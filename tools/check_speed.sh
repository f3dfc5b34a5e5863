#!/usr/bin/env bash
# Checks that the release build takes no more instructions than bench/baseline.json allows.
#
# `tools/check_speed.sh [ARGS...]`: builds the release preset and passes its arguments on to `bench/run
# --instructions` (`--update` renews the baseline). Counts depend on the compiler: the baseline is made
# with the one that Debian 12 has. Exit status 2: it cannot be told, for valgrind is not here and cannot be
# installed, or the compiler is another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/setup.sh build
tools/setup.sh speed || exit 2
[ -e build/release/build.ninja ] || cmake --preset release
cmake --build build/release --target minivm || exit 1
status=0
MINIVM=build/release/minivm bench/run --instructions "$@" || status=$?
case $status in
  0) ;;
  77) exit 2 ;;
  *) exit 1 ;;
esac
