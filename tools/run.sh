#!/usr/bin/env bash
# Builds minivm (the release preset) if that is needed, then runs it: `tools/run.sh FILE [ARGS...]`.
#
# Installs a missing compiler, CMake or Ninja first (tools/setup.sh). What the build has to say goes
# to stderr, so that stdout is the script's alone. The executable stays in build/release/minivm.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/tools/setup.sh" build

build=$root/build/release
if ! [ -e "$build/build.ninja" ]; then
  (cd "$root" && cmake --preset release) >&2
fi
if [ -t 2 ]; then
  cmake --build "$build" --target minivm >&2
else
  # No terminal: speak only if something goes wrong.
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  if ! cmake --build "$build" --target minivm >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  rm -f "$log"
  trap - EXIT
fi
exec "$build/minivm" "$@"
