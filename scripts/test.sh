#!/usr/bin/env bash
# The tests: installs what is missing, builds, runs, sums up. Fails when any test fails.
#
# Usage: scripts/test.sh [OPTIONS] [PART...]
#
# Without PART: unit integration scripts chart browser kubernetes. Parts:
#   unit          cmocka, through ctest
#   integration   pytest against the real services and a real Mosquitto (with ASan and UBSan)
#   scripts       pytest against the scripts that deploy, without a cluster
#   chart         pytest against what the Helm chart renders, without a cluster; skipped without helm
#   browser       Playwright with the system's Chromium; screenshots in build/screenshots
#   kubernetes    pytest against a real cluster: that of kubectl's context if it is minikube, kind or k3d;
#                 skipped where none answers. Needs helm, and a Docker engine to build the images
#   images        builds the images in several ways, looks into them and runs them; skipped without a
#                 Docker engine
#   tsan          unit tests and the integration tests marked tsan, with ThreadSanitizer
#   coverage      unit and integration tests; line coverage, at least 85 %
#   fuzz          each fuzz target for a while
#   install       run-local.sh and test.sh on bare Debian systems, in containers
#   lint          format and static analysis (scripts/lint.sh)
#
#   -k EXPR             only the tests of pytest that match (as its -k)
#   --kills N           how often the kill test kills (default 100)
#   --model-sequences N how many random sequences the manager's model test plays (default 200)
#   --fuzz-seconds N    for each fuzz target (default 60)
#   --help              this text
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/packages.sh
source "$ROOT/scripts/packages.sh"

readonly REPORTS=$ROOT/build/reports
readonly VENV=$ROOT/build/venv
readonly COVERAGE_MIN_PERCENT=85
# ThreadSanitizer makes a program 5 to 15 times slower; waiting ends as soon as the condition holds.
readonly TSAN_TIMEOUT_SCALE=5

PARTS=()
SELECT=()
KILLS=100
MODEL_SEQUENCES=200
FUZZ_SECONDS=60
PASSED=0 FAILED=0 SKIPPED=0
TABLE=

parse_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        -k | --kills | --model-sequences | --fuzz-seconds) take_value "$@" ;;&
        -k) SELECT=(-k "$VALUE") && shift ;;
        --kills) KILLS=$VALUE && shift ;;
        --model-sequences) MODEL_SEQUENCES=$VALUE && shift ;;
        --fuzz-seconds) FUZZ_SECONDS=$VALUE && shift ;;
        --help) print_help && exit ;;
        unit | integration | scripts | chart | browser | kubernetes | images | tsan | coverage | fuzz | install | lint)
            PARTS+=("$1")
            ;;
        *) usage_error "'$1' is neither an option nor a part" ;;
        esac
        shift
    done
    require_integer --kills "$KILLS" 0 1000000
    require_integer --model-sequences "$MODEL_SEQUENCES" 1 1000000
    require_integer --fuzz-seconds "$FUZZ_SECONDS" 1 1000000
    if [[ ${#PARTS[@]} -eq 0 ]]; then PARTS=(unit integration scripts chart browser kubernetes); fi
}

# What each part needs installed.
purposes_of() {
    case $1 in
    unit) echo build unit ;;
    integration) echo build unit integration ;;
    scripts | chart) echo integration ;;
    browser) echo build unit integration browser ;;
    kubernetes) echo integration browser ;;
    images) echo integration ;;
    tsan) echo build unit integration ;;
    coverage) echo build unit integration coverage ;;
    fuzz) echo build fuzz ;;
    install) echo install ;;
    lint) echo build unit lint ;;
    esac
}

install_packages() {
    local part
    local -a purposes=()
    for part in "${PARTS[@]}"; do
        # shellcheck disable=SC2207  # words without spaces
        purposes+=($(purposes_of "$part"))
    done
    packages_ensure "${purposes[@]}"
}

# The tests' Python packages, made anew when their list or Python itself has changed.
make_venv() {
    local stamp
    stamp=$(cat "$ROOT/tests/requirements.txt" <(python3 --version) | sha256sum)
    if [[ $(cat "$VENV/stamp" 2>/dev/null) == "$stamp" ]]; then return; fi
    note "fetching the tests' Python packages into build/venv"
    rm -rf "$VENV"
    python3 -m venv "$VENV"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check \
        --requirement "$ROOT/tests/requirements.txt"
    echo "$stamp" >"$VENV/stamp"
}

# ---------------------------------------------------------------- results

# count PART PASSED FAILED SKIPPED: adds to the table and the totals.
count() {
    PASSED=$((PASSED + $2)) FAILED=$((FAILED + $3)) SKIPPED=$((SKIPPED + $4))
    TABLE+=$(printf '%-22s %7d %7d %8d %9s' "$@" "$(seconds_since "$PART_MS")")$'\n'
}

# count_one PART STATUS: a check that only passes (0), fails, or is skipped (77).
count_one() {
    case $2 in
    0) count "$1" 1 0 0 ;;
    77) count "$1" 0 0 1 ;;
    *) count "$1" 0 1 0 ;;
    esac
}

# count_junit PART FILE STATUS: the sums of a JUnit report. A run that failed without any failed test
# (nothing selected, a crash of the runner) counts as one failure.
count_junit() {
    local tests failed skipped
    tests=$(junit_sum "$2" tests)
    failed=$(($(junit_sum "$2" failures) + $(junit_sum "$2" errors)))
    skipped=$(($(junit_sum "$2" skipped) + $(junit_sum "$2" disabled)))
    if [[ $3 -ne 0 && $failed -eq 0 ]]; then
        failed=1 tests=$((tests + 1))
    fi
    count "$1" $((tests - failed - skipped)) "$failed" "$skipped"
}

junit_sum() {
    [[ -f $1 ]] || { echo 0 && return; }
    tr '\n\t' '  ' <"$1" | grep -o '<testsuite [^>]*>' |
        sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'
}

# ---------------------------------------------------------------- parts

# Addresses are less random for ThreadSanitizer, which older versions of gcc need on newer kernels.
tsan_run() {
    if [[ $(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28) -gt 28 ]] &&
        setarch "$(uname -m)" -R true 2>/dev/null; then
        setarch "$(uname -m)" -R "$@"
    else
        "$@"
    fi
}

# run_unit PRESET PART [RUNNER...]: more at once than there are cores, as many tests wait for timeouts.
run_unit() {
    local preset=$1 part=$2 status=0 report=$REPORTS/$2.xml
    shift 2
    rm -f "$report"
    "$@" ctest --test-dir "$ROOT/build/$preset" --output-on-failure --no-tests=error --parallel 4 \
        --output-junit "$report" || status=$?
    count_junit "$part" "$report" "$status"
}

# run_pytest PRESET PART FOLDER [RUNNER... --] PYTEST_OPTION...
run_pytest() {
    local preset=$1 part=$2 folder=$3 status=0 report=$REPORTS/$2.xml
    local -a runner=()
    shift 3
    if [[ ${1:-} == tsan_run ]]; then runner=("$1") && shift; fi
    rm -f "$report"
    BELLBUOY_BUILD_DIR=$ROOT/build/$preset "${runner[@]}" "$VENV/bin/pytest" "$ROOT/tests/$folder" \
        -c "$ROOT/tests/pytest.ini" -p no:cacheprovider --quiet -n 2 --dist loadfile --no-loadscope-reorder \
        --kills "$KILLS" --model-sequences "$MODEL_SEQUENCES" --junitxml "$report" "${SELECT[@]}" "$@" || status=$?
    count_junit "$part" "$report" "$status"
}

part_unit() {
    build_preset dev || return
    run_unit dev unit
}

part_integration() {
    build_preset dev && make_venv || return
    run_pytest dev integration integration
}

part_scripts() {
    make_venv || return
    run_pytest dev scripts scripts
}

part_chart() {
    make_venv || return
    run_pytest dev chart chart
}

part_browser() {
    build_preset dev && make_venv || return
    run_pytest dev browser browser
}

# One after the other: they share the cluster.
part_kubernetes() {
    make_venv || return
    run_pytest dev kubernetes kubernetes -n 0
}

# One after the other: they measure how long a build takes.
part_images() {
    make_venv || return
    run_pytest dev images images -n 0
}

part_tsan() {
    build_preset tsan && make_venv || return
    run_unit tsan tsan-unit tsan_run
    PART_MS=$(now_ms)
    BELLBUOY_TIMEOUT_SCALE=$TSAN_TIMEOUT_SCALE \
        run_pytest tsan tsan-integration integration tsan_run -m tsan
}

part_coverage() {
    local status=0
    build_preset coverage && make_venv || return
    find "$ROOT/build/coverage" -name '*.gcda' -delete
    run_unit coverage coverage-unit
    PART_MS=$(now_ms)
    run_pytest coverage coverage-integration integration
    PART_MS=$(now_ms)
    (cd "$ROOT" && gcovr --root . --object-directory build/coverage -j 2 \
        --filter common/ --filter broadcaster/ --filter broker/ --filter manager/ \
        --filter receiver/ \
        --exclude-unreachable-branches --html-details build/reports/coverage.html \
        --txt build/reports/coverage.txt --fail-under-line "$COVERAGE_MIN_PERCENT" \
        build/coverage) || status=$?
    cat "$REPORTS/coverage.txt"
    count_one "coverage >= $COVERAGE_MIN_PERCENT %" "$status"
}

# A target is build/fuzz/**/fuzz_NAME. Inputs that once crashed it, and seeds, are in
# tests/fuzz/corpus/NAME; what a run finds stays in build/fuzz/corpus/NAME.
part_fuzz() {
    local target name status found=
    build_preset fuzz || return
    while read -r target; do
        found=yes name=${target##*/fuzz_} status=0 PART_MS=$(now_ms)
        mkdir -p "$ROOT/build/fuzz/corpus/$name" "$REPORTS"
        note "fuzzing $name for $FUZZ_SECONDS s"
        "$target" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 \
            -artifact_prefix="$REPORTS/$name-" "$ROOT/build/fuzz/corpus/$name" \
            "$(fuzz_seeds "$name")" >"$REPORTS/fuzz-$name.log" 2>&1 || status=$?
        if [[ $status -ne 0 ]]; then tail -n 40 "$REPORTS/fuzz-$name.log"; fi
        count_one "fuzz $name" "$status"
    done < <(find "$ROOT/build/fuzz" -type f -executable -name 'fuzz_*' | sort)
    [[ -n $found ]] || return
}

fuzz_seeds() {
    local folder=$ROOT/tests/fuzz/corpus/$1
    if [[ ! -d $folder ]]; then folder=$ROOT/build/fuzz/corpus/$1; fi
    echo "$folder"
}

part_install() {
    local status=0
    "$ROOT/tests/install/run.sh" || status=$?
    count_one install "$status"
}

part_lint() {
    local check status
    for check in $("$ROOT/scripts/lint.sh" --list); do
        status=0 PART_MS=$(now_ms)
        "$ROOT/scripts/lint.sh" "$check" || status=$?
        count_one "lint $check" "$status"
    done
}

print_summary() {
    printf '\n%s%-22s %7s %7s %8s %9s%s\n' "$BOLD" part passed failed skipped seconds "$RESET"
    printf '%s' "$TABLE"
    printf '%s passed, %s failed, %s skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
}

main() {
    local part
    parse_options "$@"
    install_packages
    mkdir -p "$REPORTS"
    for part in "${PARTS[@]}"; do
        note "$part"
        PART_MS=$(now_ms)
        # A part counts its tests itself; one that could not even start them counts as a failure.
        "part_$part" || count "$part" 0 1 0
    done
    print_summary
    [[ $FAILED -eq 0 ]]
}

main "$@"
