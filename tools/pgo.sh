#!/usr/bin/env bash
# Builds build/release-pgo/minivm: compiled once to count what runs, trained on bench/programs, compiled
# again with those counts. Takes two whole builds (about ten minutes on two cores). GCC only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/setup.sh build
build=build/release-pgo
cmake --preset release-pgo -DMINIVM_PGO=generate >/dev/null
cmake --build $build --target minivm
find $build -name '*.gcda' -delete
for program in bench/programs/*.src; do
  echo "training: $program"
  $build/minivm "$program" >/dev/null
done
cmake --preset release-pgo -DMINIVM_PGO=use >/dev/null
cmake --build $build --target minivm
