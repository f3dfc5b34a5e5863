#!/usr/bin/env bash
# Installs what a build, the tests, the check of the form or that of speed need and this machine lacks:
# `setup.sh build`, `setup.sh test`, `setup.sh format`, `setup.sh speed`.
#
# Asks the package manager only for what is missing, so it does nothing, and needs neither the
# network nor root, on a machine that has everything. Knows Debian's and Ubuntu's packages; elsewhere
# it names what to install. tools/run.sh and tools/test.sh call it first.
set -euo pipefail

die() { echo "setup: $*" >&2; exit 1; }

case "${1-}" in
  build | test | format | speed) ;;
  *) die "usage: tools/setup.sh build|test|format|speed" ;;
esac

# at_least HAVE WANT: dotted versions.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

missing=()
cxx=${CXX:-c++}
if ! command -v "$cxx" >/dev/null 2>&1; then
  [ -z "${CXX-}" ] || die "CXX is set to '$CXX', which is not installed"
  missing+=(g++)
fi
command -v cmake >/dev/null 2>&1 || missing+=(cmake)
command -v ninja >/dev/null 2>&1 || missing+=(ninja-build)
if [ "$1" = test ] && ! [ -e /usr/include/gtest/gtest.h ] && ! [ -e /usr/local/include/gtest/gtest.h ]; then
  missing+=(libgtest-dev)
fi

if [ "$1" = speed ] && ! command -v valgrind >/dev/null 2>&1; then
  missing+=(valgrind)
fi
if [ "$1" = format ] && ! command -v clang-format >/dev/null 2>&1 && ! command -v clang-format-14 >/dev/null 2>&1; then
  missing+=(clang-format-14)
fi

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null 2>&1 || die "please install: ${missing[*]} (Debian's names)"
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "please run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}" >&2
  install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
  }
  # The package lists of a fresh machine are empty, those of an old one stale.
  if ! install "${missing[@]}" 2>/dev/null; then
    "${as_root[@]}" apt-get update -qq </dev/null >&2 || die "apt-get update failed; is there a network?"
    install "${missing[@]}" || die "could not install: ${missing[*]}"
  fi
fi

have=$(cmake --version | sed -n '1s/[^0-9]*//p')
at_least "$have" 3.25 || die "CMake 3.25 or newer is needed, this is $have"
version=$("$cxx" -dumpfullversion 2>/dev/null || "$cxx" -dumpversion)
if "$cxx" --version | grep -qi clang; then
  at_least "$version" 14 || die "Clang 14 or newer is needed, this is $version"
else
  at_least "$version" 12 || die "GCC 12 or newer is needed, this is $version"
fi
