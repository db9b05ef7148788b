#!/usr/bin/env bash
# Format and static analysis. Expects Debian 12's versions of the tools: others format differently.
#
# Usage: scripts/lint.sh [--list] [CHECK...]
#
# Without CHECK: all of them.
#   format       clang-format on all C
#   tidy         clang-tidy with .clang-tidy, on what the dev preset compiles
#   cppcheck     cppcheck
#   scripts      shellcheck on all of them
#   banned       functions that are not used here
#   length       no function of more than 100 lines
#
#   --list   names the checks
#   --help   this text
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

readonly CHECKS=(format scripts banned length cppcheck tidy)
readonly FUNCTION_MAX_LINES=100
readonly BANNED='strcpy|strcat|sprintf|vsprintf|atoi|atol|atof|strtok|sscanf|gets|rand'

# ours FIND_EXPRESSION...: our own files, without what is built, fetched or hidden.
ours() {
    (cd "$ROOT" && find . \( -path ./build -o -name node_modules -o -path './.?*' -not -path './.ci*' \) \
        -prune -o \( "$@" \) -type f -printf '%P\n' | sort)
}
c_files() { ours -name '*.[ch]'; }

check_format() {
    (cd "$ROOT" && c_files | xargs clang-format --dry-run --Werror)
}

# Options of gcc that clang does not know are no finding.
check_tidy() {
    local log=$ROOT/build/reports/clang-tidy.txt status=0
    build_preset dev >/dev/null || die "the dev build failed: scripts/test.sh unit says more"
    mkdir -p "$ROOT/build/reports"
    run-clang-tidy -quiet -j 2 -p "$ROOT/build/dev" \
        -extra-arg=-Wno-unknown-warning-option "^$ROOT/(common|broadcaster|receiver|tests|bench)/" \
        >"$log" 2>&1 || status=$?
    grep -E -A 3 '(warning|error): ' "$log" || true
    return "$status"
}

# cppcheck understands neither the cleanup attribute (leaks: LeakSanitizer looks for them), nor values
# that come by a ret_ parameter (uninitialised ones: both compilers look), nor what bounds an index that
# a loop counts down (AddressSanitizer does).
check_cppcheck() {
    (cd "$ROOT" && c_files | grep '\.c$' | xargs cppcheck --quiet -j 2 --std=c11 --language=c \
        --enable=warning,performance,portability --error-exitcode=1 -I . \
        --suppress=memleak --suppress=resourceLeak --suppress=uninitvar \
        --suppress=arrayIndexOutOfBoundsCond --suppress=missingIncludeSystem)
}

check_scripts() {
    (cd "$ROOT" && ours -name '*.sh' -o -path ./.ci/run | xargs shellcheck -x)
}

check_banned() {
    local found=0
    (cd "$ROOT" && c_files | xargs grep -nE "\b($BANNED) ?\(") || found=$?
    [[ $found -ne 0 ]] || fail "banned functions: $BANNED"
    [[ $found -eq 1 || $found -eq 123 ]]
}

# A function begins with { and ends with } in the first column; tables end with }; and are no functions.
check_length() {
    # shellcheck disable=SC2016  # awk's fields, not the shell's
    (cd "$ROOT" && c_files | xargs awk -v max="$FUNCTION_MAX_LINES" '
        FNR == 1 { start = 0 }
        /^[A-Za-z_]/ { name = $0 }
        /^\{/ { start = FNR }
        /^\}$/ && start {
            if (FNR - start - 1 > max) {
                printf "%s:%d: %d lines: %s\n", FILENAME, start, FNR - start - 1, name
                long = 1
            }
            start = 0
        }
        END { exit long }')
}

main() {
    local check status=0
    case ${1:-} in
    --list) printf '%s\n' "${CHECKS[@]}" && return ;;
    --help) print_help && return ;;
    -*) usage_error "unknown option '$1'" ;;
    esac
    [[ $# -gt 0 ]] || set -- "${CHECKS[@]}"
    for check in "$@"; do
        [[ " ${CHECKS[*]} " == *" $check "* ]] || usage_error "'$check' is no check"
        note "$check"
        "check_$check" || { status=1 && fail "$check"; }
    done
    return "$status"
}

main "$@"
