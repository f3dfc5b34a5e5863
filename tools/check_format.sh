#!/usr/bin/env bash
# Checks that the C++ sources are as clang-format leaves them: `tools/check_format.sh [--fix]`.
#
# Versions of clang-format do not agree with each other, so it has to be the one that Debian 12 has. With
# --fix the files are changed instead. Exit status 2: it is not here and cannot be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly want=14
tools/setup.sh format || exit 2
tool=$(command -v "clang-format-$want" || command -v clang-format || true)
have=$([ -z "$tool" ] || "$tool" --version | sed -n 's/.*version \([0-9]*\).*/\1/p')
if [ "$have" != "$want" ]; then
  echo "format: clang-format $want is needed, this is ${have:-none}" >&2
  exit 2
fi
if [ "${1-}" = --fix ]; then
  git ls-files -z '*.cpp' '*.h' | xargs -0 -n 40 -P "$(nproc)" "$tool" -i
else
  git ls-files -z '*.cpp' '*.h' | xargs -0 -n 40 -P "$(nproc)" "$tool" --dry-run -Werror
fi
