#!/usr/bin/env bash
# run-local.sh and test.sh on bare Debian systems, in containers with nothing but what they install.
#
# Usage: tests/install/run.sh [--tests] [SYSTEM...]
#
#   SYSTEM    bookworm or trixie (default: both)
#   --tests   runs all of scripts/test.sh there too, which takes many minutes more
#   --help    this text
#
# Needs a Docker engine and the package mirror; status 77 (skipped) without an engine. The host's
# proxies and its settings for apt and pip are passed on; the containers use the host's network.
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=scripts/ports.sh
source "$ROOT/scripts/ports.sh"

readonly ENGINE_SCRIPT=$ROOT/../shared/cluster/cluster

SYSTEMS=()
INSIDE=(tests/install/inside.sh)

parse_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --tests) INSIDE+=(--tests) ;;
        --help) print_help && exit ;;
        bookworm | trixie) SYSTEMS+=("$1") ;;
        *) usage_error "'$1' is neither an option nor a system" ;;
        esac
        shift
    done
    if [[ ${#SYSTEMS[@]} -eq 0 ]]; then SYSTEMS=(bookworm trixie); fi
}

# An engine that answers, or one that the development machine can start.
find_engine() {
    engine_answers && return
    if [[ -x $ENGINE_SCRIPT ]]; then
        "$ENGINE_SCRIPT" docker >/dev/null 2>&1 || true
    fi
    engine_answers && return
    warn "skipped: no Docker engine answers ('docker info' says why)"
    exit 77
}

engine_answers() { has_command docker && timeout 20 docker info >/dev/null 2>&1; }

# have_image SYSTEM: there, pulled, or made of Debian's own packages.
have_image() {
    local image=debian:$1-slim folder
    docker image inspect "$image" >/dev/null 2>&1 && return
    docker pull --quiet "$image" 2>/dev/null && return
    has_command debootstrap && [[ $EUID -eq 0 ]] || return
    note "making $image with debootstrap"
    folder=$(mktemp -d)
    debootstrap --variant=minbase "$1" "$folder" >/dev/null &&
        tar -C "$folder" -c . | docker import --change 'CMD ["bash"]' - "$image" >/dev/null
    rm -rf "$folder"
}

# What the host knows of its network, as arguments of docker run.
network_arguments() {
    local name file
    printf '%s\n' --network host
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL; do
        if [[ -n ${!name:-} ]]; then printf '%s\n' --env "$name"; fi
    done
    while read -r file; do
        printf '%s\n' --volume "$file:/etc/apt/apt.conf.d/99host-${file##*/}:ro"
    done < <(grep -l 'Acquire::' /etc/apt/apt.conf /etc/apt/apt.conf.d/* 2>/dev/null)
    if [[ -n ${PIP_CERT:-} ]]; then
        printf '%s\n' --env PIP_CERT=/host-certificates.crt \
            --volume "$PIP_CERT:/host-certificates.crt:ro"
    fi
}

# The tree as it is committed goes in as an archive: the container changes nothing of ours.
try_system() {
    local -a network
    mapfile -t network < <(network_arguments)
    note "a bare $1"
    (cd "$ROOT" && git archive HEAD) |
        docker run --rm --interactive --init "${network[@]}" --env "PORT=$(port_free)" \
            "debian:$1-slim" \
            bash -c 'mkdir /bellbuoy && cd /bellbuoy && tar -x && exec "$@"' bash "${INSIDE[@]}"
}

main() {
    local system status=0
    parse_options "$@"
    find_engine
    for system in "${SYSTEMS[@]}"; do
        if ! have_image "$system"; then
            warn "no image of $system can be had here"
            status=1
        elif ! try_system "$system"; then
            fail "$system"
            status=1
        fi
    done
    return "$status"
}

main "$@"
