#!/usr/bin/env bash
# Runs inside a bare container, in the project's tree: the first start, a stop, a second start, and
# prints what they cost.
#
# Usage: tests/install/inside.sh [--tests]
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/../../scripts/lib.sh"

readonly PORT=${PORT:-5000}
readonly FIRST_START_MAX_MS=180000
readonly SECOND_START_MAX_MS=3000
readonly LOG=/tmp/run-local.log

package_count() { dpkg-query --show | wc -l; }
package_mb() {
    # shellcheck disable=SC2016  # dpkg-query's variable, not the shell's
    dpkg-query --show --showformat '${Installed-Size}\n' | awk '{ kb += $1 } END { printf "%d", kb / 1024 }'
}

# get PATH: the body of a GET, without any tool for it.
get() {
    local connection
    exec {connection}<>"/dev/tcp/127.0.0.1/$PORT" || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&"$connection"
    sed '1,/^\r$/d' <&"$connection"
    exec {connection}>&-
}

first_message() { get '/api/v1/events?limit=1' 2>/dev/null | grep -q '"Hello world"'; }
last_cursor() { get '/api/v1/events?limit=1' | grep -o '"cursor":"[^"]*"' | tail -n 1; }

# wait_until MS CONDITION...
wait_until() {
    local deadline=$(($(now_ms) + $1))
    shift
    until "$@"; do
        [[ $(now_ms) -lt $deadline ]] || return 1
        kill -0 "$RUN" 2>/dev/null || return 1
        sleep 0.02
    done
}

start() {
    scripts/run-local.sh --port "$PORT" >"$LOG" 2>&1 &
    RUN=$!
}

give_up() {
    tail -n 60 "$LOG"
    die "$@"
}

stop() {
    local status=0
    kill -TERM "$RUN"
    wait "$RUN" || status=$?
    [[ $status -eq 0 ]] || give_up "run-local.sh ended with status $status"
}

ready() { grep -q 'Bellbuoy is ready' "$LOG"; }

first_start() {
    local start_ms packages mb
    start_ms=$(now_ms) packages=$(package_count) mb=$(package_mb)
    start
    wait_until "$FIRST_START_MAX_MS" ready || give_up "not ready in time"
    echo "first start: ready after $(seconds_since "$start_ms") s"
    wait_until "$FIRST_START_MAX_MS" first_message || give_up "no message"
    echo "first start: first message after $(seconds_since "$start_ms") s"
    [[ $(($(now_ms) - start_ms)) -le $FIRST_START_MAX_MS ]] || give_up "that is too slow"
    echo "installed: $(($(package_count) - packages)) packages, $(($(package_mb) - mb)) MB"
    grep 'installing' "$LOG" || echo "nothing was missing"
    CURSOR=$(last_cursor)
    stop
}

second_start() {
    local start_ms
    start_ms=$(now_ms)
    start
    wait_until 30000 ready || give_up "not ready in time"
    echo "second start: ready after $(seconds_since "$start_ms") s"
    [[ $(($(now_ms) - start_ms)) -le $SECOND_START_MAX_MS ]] || give_up "that is too slow"
    get '/api/v1/events?order=asc&limit=1000' | grep -q "$CURSOR" || give_up "the history is gone"
    stop
}

main() {
    first_start
    second_start
    if [[ ${1:-} == --tests ]]; then
        scripts/test.sh
    else
        scripts/test.sh unit
    fi
}

main "$@"
