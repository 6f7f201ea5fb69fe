#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shows that the corpus reaches every line and every branch, both ways, of the scanner and of what it
# is made of; lists what is not reached and fails otherwise. Uses clang-14 and llvm-14.
# Usage: tests/fuzz/coverage.sh [build folder]
set -eu
if [ $# -gt 0 ]; then
  mkdir -p "$1"
  build=$(cd "$1" && pwd)
else
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
fi
cd "$(dirname "$0")/../.."
judged='frame_scanner.cc utf8.cc field.h varint.h'

clang++-14 -std=c++20 -O0 -g1 -fprofile-instr-generate -fcoverage-mapping -I. -Iserver \
  tests/fuzz/scanner_fuzz.cc tests/fuzz/reference_scanner.cc tests/fuzz/replay_main.cc \
  server/wire/frame_scanner.cc server/wire/frame_reader.cc server/wire/utf8.cc -o "$build/replay"
LLVM_PROFILE_FILE="$build/replay.profraw" "$build/replay" tests/fuzz/corpus/scanner > "$build/replay.log"
tail -n 1 "$build/replay.log"
llvm-profdata-14 merge "$build/replay.profraw" -o "$build/replay.profdata"

missed=0
for file in $judged; do
  # lcov's records: DA:line,count for a line, BRDA:line,block,branch,count for one way of a branch.
  llvm-cov-14 export -format=lcov -instr-profile="$build/replay.profdata" "$build/replay" \
    "server/wire/$file" > "$build/$file.lcov"
  awk -F'[:,]' -v file="server/wire/$file" '
    # A switch over an enum without default: the way past all its cases does not exist.
    FNR == NR { if ($0 ~ /^ *switch \(/) closed[FNR]; next }
    /^DA:/   { lines++; if ($3 == 0) { print file ":" $2 ": line not reached"; missed++ } }
    /^BRDA:/ { if ($2 in closed) next
               key = $2 "," $3 "," $4; ways[key]; if ($5 + 0 > 0) taken[key] }
    END {
      for (key in ways) {
        all++
        if (!(key in taken)) { split(key, at, ","); print file ":" at[1] ": a way of its branch is not taken"; missed++ }
      }
      printf "%s: %d lines, %d ways of branches, %d not reached\n", file, lines, all, missed
      if (lines == 0 || missed > 0) exit 1
    }' "server/wire/$file" "$build/$file.lcov" || missed=1
done
exit $missed
