#!/usr/bin/env bash
# Debian and Ubuntu packages that Bellbuoy needs, by purpose.
#
# Usage: scripts/packages.sh [--list | --missing | --install] PURPOSE...
#
#   --list      names the packages (default)
#   --missing   names those that are not installed
#   --install   installs those, with sudo when not root, and says before what and how big
#   --help      this text
#
# PURPOSE is one or more of
#   run         what the services need beside them: the broker
#   build       compiler, tools and libraries
#   unit, integration, browser
#               those tests; test means all three
#   coverage    the coverage report
#   fuzz        the fuzz targets
#   lint        format, static analysis
#   install     the test of the scripts on bare systems, in containers
#   images      what the images' builder has beside build and run
#
# Known to fit Debian 12 (bookworm), Debian 13 (trixie) and Ubuntu 24.04 (noble).
set -euo pipefail

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    # shellcheck source=scripts/lib.sh
    source "$(dirname "$0")/lib.sh"
fi

# The chart library is libjs-dygraphs, one package without dependencies, and not one of npm: to fetch
# that, Debian 12's npm would bring 387 packages and 236 MB along.
packages_of() {
    case $1 in
    run) echo mosquitto ;;
    build)
        echo gcc libc6-dev cmake ninja-build pkg-config
        echo libmosquitto-dev libcjson-dev libmicrohttpd-dev libuv1-dev libsqlite3-dev libssl-dev libcurl4-openssl-dev
        echo libyaml-dev
        echo uthash-dev libjs-dygraphs brotli gzip
        ;;
    unit) echo libcmocka-dev mosquitto openssl ;;
    integration)
        echo mosquitto openssl strace ca-certificates python3 python3-venv
        # What the tests of the manager put onto an engine.
        if has_command docker; then echo busybox-static docker-registry apache2-utils; fi
        ;;
    browser) packages_browser ;;
    test) packages_of unit && packages_of integration && packages_of browser ;;
    coverage) echo gcovr ;;
    fuzz) echo clang "$(packages_clang_runtime)" ;;
    lint) echo clang-format clang-tidy cppcheck shellcheck python3 python3-venv ;;
    install) echo debootstrap ;;
    images) echo ccache ca-certificates ;;
    *) usage_error "'$1' is no purpose; --help names them" ;;
    esac
}

# A browser that is there already serves as well; Ubuntu's chromium is a snap and not in its archive.
packages_browser() {
    local browser
    for browser in chromium chromium-browser google-chrome; do
        if has_command "$browser"; then return; fi
    done
    echo chromium fonts-dejavu-core
}

# libFuzzer and the sanitizers' runtime bear clang's version in their name, and are only recommended.
packages_clang_runtime() {
    local codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    case $codename in
    trixie) echo libclang-rt-19-dev ;;
    noble) echo libclang-rt-18-dev ;;
    *) echo libclang-rt-14-dev ;;
    esac
}

# packages_missing PURPOSE...: those that dpkg does not know as installed, one per line.
packages_missing() {
    local purpose
    local -a wanted=()
    for purpose in "$@"; do
        # shellcheck disable=SC2207  # package names have no spaces
        wanted+=($(packages_of "$purpose"))
    done
    comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(packages_installed "${wanted[@]}" | sort -u)
}

packages_installed() {
    # shellcheck disable=SC2016  # dpkg-query's variables, not the shell's
    dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^installed //p' || true
}

as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    elif has_command sudo; then
        sudo "$@"
    else
        die "this needs root, and there is no sudo: run as root: $*"
    fi
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"; }

# What apt-get would fetch and use, as it says itself, on one line.
packages_size() {
    LC_ALL=C apt-get install --assume-no --no-install-recommends "$@" 2>/dev/null |
        sed -n -e 's/^Need to get \(.*\) of archives\.$/\1 to download/p' \
            -e 's/^After this operation, \(.*\) of additional.*/\1 on disk/p' \
            -e 's/^.* \([0-9]*\) newly installed,.*/\1 packages with what they depend on/p' |
        paste -sd, | sed 's/,/, /g'
}

# packages_ensure PURPOSE...: installs what is missing. Does nothing, quickly, when nothing is.
packages_ensure() {
    local -a missing
    if ! has_command dpkg-query; then
        warn "not a Debian or Ubuntu system: install the equivalents of" \
            "$(for purpose in "$@"; do packages_of "$purpose"; done | paste -sd' ')"
        return
    fi
    mapfile -t missing < <(packages_missing "$@")
    if [[ ${#missing[@]} -gt 0 ]]; then packages_install "${missing[@]}"; fi
}

packages_install() {
    # Without package lists (a bare image) or with old ones a first look fails: get them, once.
    if ! apt-get install --simulate --no-install-recommends "$@" >/dev/null 2>&1; then
        note "fetching the package lists"
        apt_get update --quiet --quiet
    fi
    note "installing $(packages_size "$@"): $*"
    apt_get install --yes --quiet --quiet --no-install-recommends "$@" ||
        die "the packages could not be installed (see above)." \
            "If files were not found, the lists are old: apt-get update, and start again."
    packages_mention_service "$@"
}

# Debian starts what it installs. That broker is not ours, and not in our way.
packages_mention_service() {
    if [[ -d /run/systemd/system && " $* " == *" mosquitto "* ]]; then
        note "Debian's mosquitto package has started a broker of its own on port 1883. Bellbuoy does" \
            "not use it. To switch it off: sudo systemctl disable --now mosquitto"
    fi
}

packages_main() {
    local action=list
    while [[ ${1:-} == -* ]]; do
        case $1 in
        --list | --missing | --install) action=${1#--} ;;
        --help) print_help && exit ;;
        *) usage_error "unknown option '$1'" ;;
        esac
        shift
    done
    [[ $# -gt 0 ]] || usage_error "for which purpose?"
    case $action in
    list) for purpose in "$@"; do packages_of "$purpose"; done | tr ' ' '\n' | sort -u ;;
    missing) packages_missing "$@" ;;
    install) packages_ensure "$@" ;;
    esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then packages_main "$@"; fi
