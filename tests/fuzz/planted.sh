#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shows that the fuzzer finds what it is there for: each patch of planted/ puts one bug into a copy of
# the scanner, and the fuzzer, started from the corpus' accepted frames alone (ok_*), must find it
# within a minute. The scanner as it is comes first and must pass, so that a find means something.
# Usage: tests/fuzz/planted.sh [seconds for the scanner as it is]
set -eu
cd "$(dirname "$0")/../.."
control_seconds=${1:-20}
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/seeds"
cp tests/fuzz/corpus/scanner/ok_* "$work/seeds"

# build <folder>: a fuzzer from the sources in that folder.
build() {
  (cd "$1" && clang++-14 -std=c++20 -O1 -g1 -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=all -I. -Iserver \
    tests/fuzz/scanner_fuzz.cc tests/fuzz/reference_scanner.cc \
    server/wire/frame_scanner.cc server/wire/frame_reader.cc server/wire/utf8.cc -o fuzzer)
}

# fuzz <folder> <seconds>: status 0 if nothing was found.
fuzz() {
  mkdir "$1/found"
  "$1/fuzzer" -seed=1 -max_len=128 -max_total_time="$2" -artifact_prefix="$1/" \
    "$1/found" "$work/seeds" > "$1/log" 2>&1
}

copy() {
  mkdir -p "$1/server" "$1/tests"
  cp -R server/wire "$1/server/"
  cp -R tests/fuzz "$1/tests/"
}

copy "$work/as_it_is"
build "$work/as_it_is"
if ! fuzz "$work/as_it_is" "$control_seconds"; then
  tail -n 30 "$work/as_it_is/log"
  echo "the scanner as it is: the fuzzer found a bug that nobody planted"
  exit 1
fi
echo "the scanner as it is: nothing found in $control_seconds s"

missed=0
for patch in tests/fuzz/planted/*.patch; do
  name=$(basename "$patch" .patch)
  copy "$work/$name"
  patch -s -p1 -d "$work/$name" < "$root/$patch"
  build "$work/$name"
  begin=$(date +%s%N)
  if fuzz "$work/$name" 60; then
    echo "$name: NOT found in 60 s"
    missed=1
  else
    took=$((($(date +%s%N) - begin) / 1000000))
    why=$(grep -m 1 -E 'disagree|ERROR: AddressSanitizer|runtime error' "$work/$name/log" || true)
    # A fuzzer that could not even start would fail as well: only a reason of its own counts.
    [ -n "$why" ] || { tail -n 30 "$work/$name/log"; exit 1; }
    echo "$name: found in $took ms: $why"
  fi
done
exit $missed
