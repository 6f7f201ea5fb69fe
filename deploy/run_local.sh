#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts the built sluiced on this machine, feeds it the story of tests/story, and leaves it up.
# Usage: run_local.sh [--once]   (--once: on a free port; afterwards SIGTERM must end it with 0)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pid=
pid_file=build/sluiced.pid

fail() { printf 'run: %s\n' "$*" >&2; exit 1; }
say() { printf '\n== %s\n' "$*"; }

free_port() {
  python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

answers() { (exec 3<>"/dev/tcp/${1%:*}/${1#*:}") 2>/dev/null; }

start() {  # address, log file, address of HTTP
  ! answers "$1" || fail "something else listens on $1"
  setsid build/release/server/sluiced --listen "$1" --http "$3" >"$2" 2>&1 </dev/null &
  pid=$!
  local _
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || break
    if answers "$1"; then return 0; fi
    sleep 0.1
  done
  cat "$2"
  fail "sluiced did not come up on $1"
}

stop() {
  local code=0
  kill -TERM "$pid"
  wait "$pid" || code=$?
  pid=
  [ "$code" = 0 ] || fail "sluiced ended with $code after SIGTERM"
}

stop_previous() {  # the one that an earlier run left up, and no other process
  local previous _
  [ -e "$pid_file" ] || return 0
  previous=$(cat "$pid_file")
  rm -f "$pid_file"
  [ "$(cat "/proc/$previous/comm" 2>/dev/null)" = sluiced ] || return 0
  say "stopping the sluiced of an earlier run (pid $previous)"
  kill -TERM "$previous"
  for _ in $(seq 150); do
    # Ended, or ended and not yet collected by its parent.
    grep -qs '^State:[[:space:]]*[^Z]' "/proc/$previous/status" || return 0
    sleep 0.1
  done
  fail "pid $previous does not end"
}

case "${1:-}" in
  --once) address=127.0.0.1:$(free_port) http=127.0.0.1:0 log=build/sluiced-once.log ;;
  "") stop_previous; address=127.0.0.1:7400 http=127.0.0.1:7401 log=build/sluiced.log ;;
  *) fail "unknown argument $1" ;;
esac

trap '[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true' EXIT
say "starting sluiced on $address, log in $log"
start "$address" "$log" "$http"
tests/story/run "$address"

if [ "${1:-}" = --once ]; then
  stop
  say "sluiced ended on SIGTERM with exit code 0"
  exit 0
fi

trap - EXIT
echo "$pid" >"$pid_file"
cat <<NEXT

sluiced is up on $address, log in $log. \`kill $pid\` drains it, and ends it with 0. Try:

  PATH=$PWD/build/release/client:\$PATH
  sluice declare jobs --capacity 3               # a bounded queue
  printf 'one\ntwo\n' | sluice send jobs
  sluice receive jobs --count 2
  sluice responder declare upper                 # request/reply
  sluice serve upper -- tr a-z A-Z &
  sluice call upper hello --wait
  sluice topic declare news                      # a topic
  sluice subscribe news &
  until sluice publish news "it works"; do sleep 1; done
  sluice set app/limit 10; sluice get app/limit  # a config key
  sluice streams; sluice info                    # who is slow; bounds in force, live counts
  curl http://$http/                             # metrics, health, JSON views
NEXT
