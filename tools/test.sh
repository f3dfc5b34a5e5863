#!/usr/bin/env bash
# Builds one preset (default: test) and runs its tests: `tools/test.sh [PRESET] [CTEST ARGS...]`.
#
# Installs what is missing first (tools/setup.sh). Presets: CMakePresets.json.
#   tools/test.sh                      everything
#   tools/test.sh test -R list         only tests with "list" in their name
#   tools/test.sh debug                under the address and undefined-behaviour sanitizers
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
preset=test
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  preset=$1
  shift
fi
tools/setup.sh test

[ -e "build/$preset/build.ninja" ] || cmake --preset "$preset"
cmake --build --preset "$preset"

jobs=${CTEST_PARALLEL_LEVEL:-$(nproc)}
exec ctest --preset "$preset" --parallel "$jobs" "$@" </dev/null
