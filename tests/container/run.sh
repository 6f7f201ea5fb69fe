#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the image for real, runs it for real, and drives it from outside: the tests beside this script.
#
# Usage: tests/container/run.sh [--build-arg NAME=VALUE]... [TEST...]
#   TEST  names of unittest (test_restart, test_image.Image.test_...); none: all of them
#   CC_DIR  where an engine of our own keeps its data and the base image (default /var/tmp/sluice-container)
#
# Uses what build/release has: the command sluice, the stubs for Python, the ends of tests/torture.
# Exit code: 0 everything holds; 1 something does not; 77 it cannot be done on this machine, and the line
# "container: skipped: ..." says why.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
root=$PWD

say() { printf '[%4s s] %s\n' "$SECONDS" "$*"; }
ok() { say "ok: $*"; }
fail() { say "FAIL: $*"; exit 1; }
impossible() { printf 'container: skipped: %s\n' "$*"; exit 77; }

build_arguments=() tests=()
while [ $# -gt 0 ]; do
  case $1 in
    --build-arg) build_arguments+=(--build-arg "$2"); shift 2 ;;
    -*) sed -n '3,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
    *) tests+=("$1"); shift ;;
  esac
done

CC_DIR=${CC_DIR:-/var/tmp/sluice-container}
mkdir -p "$CC_DIR" || impossible "cannot write $CC_DIR"
exec 9>"$CC_DIR/lock"
flock -w 600 9 || impossible "another run holds $CC_DIR/lock"

# shellcheck source=tests/container/engine.sh
. tests/container/engine.sh

# What the Dockerfiles begin with, other than earlier stages.
mapfile -t BASES < <(awk 'toupper($1) == "FROM" { if (!($2 in stage) && $2 !~ /[$]/) print $2
  if (toupper($3) == "AS") stage[$4] = 1 }' Dockerfile deploy/prometheus/Dockerfile | sort -u)
mapfile -t FOREIGN < <(printf '%s\n' "${BASES[@]}" | grep -vx "debian:$CODENAME-slim")

trap stop_engine EXIT  # the exit code stays what it was
trap 'exit 130' INT
trap 'exit 143' TERM
start_engine
command -v docker-compose >/dev/null || "$DK" compose version >/dev/null 2>&1 || need docker-compose docker-compose
make_bases

for name in http_proxy https_proxy no_proxy; do
  if [ -n "${!name:-}" ]; then build_arguments+=(--build-arg "$name"); fi
done
build_image() {  # tag, Dockerfile, context
  local began=$SECONDS
  DOCKER_BUILDKIT=1 "$DK" build --network=host --progress=plain "${build_arguments[@]}" -t "$1" -f "$2" "$3" \
    >"$CC_DIR/build.log" 2>&1 || { tail -40 "$CC_DIR/build.log"; fail "docker build of $1 (whole log: $CC_DIR/build.log)"; }
  ok "built $1 in $((SECONDS - began)) s, $(($("$DK" image inspect -f '{{.Size}}' "$1") / 1000000)) MB"
}
build_arguments+=(--build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
build_image sluice:latest Dockerfile .
build_image sluice-prometheus:latest deploy/prometheus/Dockerfile deploy/prometheus

export DOCKER=$DK IMAGE=sluice:latest
export SLUICE=${SLUICE:-$root/build/release/client/sluice}
export TEST_STUBS=${TEST_STUBS:-$root/build/release/tests/integration/stubs}
export TORTURE_ENDS=${TORTURE_ENDS:-$root/build/release/tests/torture/torture_ends}
export STORY_PROGRAMS=${STORY_PROGRAMS:-$root/build/release/client/examples}
export SLUICED=none  # the daemon of these tests is in a container
if [ ${#tests[@]} = 0 ]; then tests=(discover); fi
(cd tests/container && PYTHONPATH=$root/tests/integration:$root/tests/torture /usr/bin/python3 -B -m unittest "${tests[@]}" -v) ||
  fail "the image does not do what it must"
