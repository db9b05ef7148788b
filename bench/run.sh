#!/usr/bin/env bash
# Measures the services, each figure beside a peer or a floor in the same run. See docs/performance.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

usage() {
    cat <<'TEXT'
usage: bench/run.sh [--quick] [NAME...]

Builds the `bench` preset and measures: fanout ingest resume latency idle start manager (all when none is
named). Prints one table and writes build/bench/results.json. --quick takes smaller numbers, to see
that everything runs; its figures mean little. Takes about twenty minutes, and wants a quiet machine.
TEXT
}

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    usage
    exit 0
fi

cmake --preset bench -S "$root" >/dev/null
cmake --build "$root/build/bench" >/dev/null
python=$root/build/venv/bin/python3
if [[ ! -x $python ]]; then
    echo "bench/run.sh: run scripts/test.sh once first: it makes the Python environment" >&2
    exit 1
fi
BELLBUOY_BUILD_DIR=$root/build/bench PYTHONPATH=$root/tests:$here exec "$python" "$here/run.py" "$@"
