# shellcheck shell=bash
# What the project's scripts share. Sourced, never run: the caller has set -euo pipefail.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT

# Colours for a terminal only, and not where NO_COLOR asks for none (no-color.org).
lib_colours() {
    BOLD='' RED='' GREEN='' YELLOW='' BLUE='' RESET=''
    if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
        BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' BLUE=$'\e[34m' RESET=$'\e[0m'
    fi
    # shellcheck disable=SC2034  # used by the scripts that source this file
    readonly BOLD RED GREEN YELLOW BLUE RESET
}
lib_colours

note() { printf '%s==>%s %s\n' "$BLUE$BOLD" "$RESET" "$*"; }
warn() { printf '%swarning:%s %s\n' "$YELLOW" "$RESET" "$*" >&2; }
fail() { printf '%serror:%s %s\n' "$RED$BOLD" "$RESET" "$*" >&2; }

# die MESSAGE: the message and status 1. usage_error MESSAGE: the same for a wrong option, status 2.
die() {
    fail "$@"
    exit 1
}
usage_error() {
    fail "$*"
    echo "Try '$0 --help'." >&2
    exit 2
}

# The comment at the head of the calling script is its help.
print_help() { sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$0"; }

# take_value "$@": puts the value of the option that is $1 into VALUE; a usage error when there is none.
take_value() {
    [[ $# -ge 2 && -n $2 ]] || usage_error "$1 needs a value"
    # shellcheck disable=SC2034  # for the caller
    VALUE=$2
}

# require_integer OPTION VALUE MIN MAX
require_integer() {
    [[ $2 =~ ^[0-9]{1,9}$ && $((10#$2)) -ge $3 && $((10#$2)) -le $4 ]] ||
        usage_error "$1 must be a whole number from $3 to $4, not '$2'"
}

has_command() { command -v "$1" >/dev/null 2>&1; }

# Milliseconds of a clock for measuring.
now_ms() { echo "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# seconds_since START_MS: "3.2"
seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d\n' $((ms / 1000)) $((ms % 1000 / 100))
}

# build_preset NAME: configures once (ninja does it again when a CMakeLists.txt changes) and builds.
build_preset() {
    local folder=$ROOT/build/$1
    [[ -f $folder/build.ninja ]] ||
        (cd "$ROOT" && cmake --preset "$1" --log-level=NOTICE) || return 1
    ninja -C "$folder"
}
