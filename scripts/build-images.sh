#!/usr/bin/env bash
# Builds the images of the services, in the Docker engine that the cluster of kubectl's context uses.
#
# Usage: scripts/build-images.sh [OPTIONS]
#
#   --only SERVICE...    of broker, receiver, broadcaster, manager (default: all)
#   --tag TAG            instead of the project's version
#   --no-cache           builds everything anew
#   --legacy             with the engine's own builder instead of BuildKit (slower; taken where buildx
#                        is missing)
#   --platform PLATFORM  for another processor, such as linux/arm64 (needs emulation by the engine)
#   --push REGISTRY      pushes them too, as REGISTRY/bellbuoy/SERVICE:TAG
#   --help               this text
#
# The engine is minikube's node's own when the context is one of minikube and `minikube docker-env`
# answers, else the local one; kind's and k3d's nodes are handed the images. The host's proxies
# (http_proxy and the like) and apt's are used in the build and are not in the images. Beside the images:
# what each contains, in build/sbom, and the builder's output, in build/images.
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/kube.sh
source "$ROOT/scripts/kube.sh"

readonly ALL=(broker receiver broadcaster manager)
readonly LOGS=$ROOT/build/images
readonly SBOMS=$ROOT/build/sbom
readonly PROXIES=(http_proxy https_proxy ftp_proxy all_proxy no_proxy
    HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY)

SERVICES=()
BUILDER=buildkit
ARGUMENTS=() # of each build
TAG=
PLATFORM=
REGISTRY=
CONTEXT=
TABLE=

parse_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --only | --tag | --platform | --push) take_value "$@" ;;&
        --only) while is_service "${2:-}"; do SERVICES+=("$2") && shift; done ;;
        --tag) TAG=$VALUE && shift ;;
        --platform) PLATFORM=$VALUE && ARGUMENTS+=(--platform "$VALUE") && shift ;;
        --push) REGISTRY=${VALUE%/} && shift ;;
        --no-cache) ARGUMENTS+=(--build-arg "FRESH=$EPOCHREALTIME") ;;
        --legacy) BUILDER=legacy ;;
        --help) print_help && exit ;;
        *) usage_error "'$1' is neither an option nor a service (${ALL[*]})" ;;
        esac
        shift
    done
    [[ $PLATFORM != *,* ]] || usage_error "--platform takes one platform, not '$PLATFORM'"
    if [[ ${#SERVICES[@]} -eq 0 ]]; then SERVICES=("${ALL[@]}"); fi
}

is_service() { [[ -n $1 && " ${ALL[*]} " == *" $1 "* ]]; }

# ---------------------------------------------------------------- what a build needs

choose_engine() {
    has_command docker ||
        die "docker is not installed. On Debian and Ubuntu: sudo apt-get install docker.io"
    CONTEXT=$(kube_context || true)
    use_context_engine "$CONTEXT"
    require_engine
    if [[ $BUILDER == buildkit ]] && ! docker buildx version >/dev/null 2>&1; then
        warn "docker has no buildx: taking the engine's own, slower builder"
        BUILDER=legacy
    fi
    # The builder that is the engine itself bears the name of docker's context. One of one's own, or one
    # for another platform, has its own store of images.
    if [[ -z ${BUILDX_BUILDER:-} ]]; then
        BUILDX_BUILDER=$(docker context show 2>/dev/null || echo default)
        export BUILDX_BUILDER
        if [[ -z $PLATFORM ]]; then require_base; fi
    fi
}

require_engine() {
    local reason start='sudo systemctl start docker'
    reason=$(timeout 30 docker version --format '{{.Server.Version}}' 2>&1 >/dev/null) && return
    if [[ -n ${MINIKUBE_ACTIVE_DOCKERD:-} ]]; then start="minikube --profile $CONTEXT start"; fi
    case $reason in
    *'permission denied'*)
        die "you may not use $ENGINE_NAME: sudo usermod -aG docker $(id -un), and log in again" ;;
    *) die "$ENGINE_NAME does not answer (${reason:-no answer in 30 s}). Start it: $start" ;;
    esac
}

require_base() {
    local base reason
    base=$(sed -n 's/^ARG BASE=//p' "$ROOT/${SERVICES[0]}/Dockerfile")
    if docker image inspect "$base" >/dev/null 2>&1; then return; fi
    note "pulling $base"
    reason=$(timeout 600 docker pull --quiet "$base" 2>&1 >/dev/null) && return
    fail "$base, which the images are built from, is not in $ENGINE_NAME and cannot be pulled:" \
        "$(tail -n 1 <<<"$reason")"
    if [[ -n ${MINIKUBE_ACTIVE_DOCKERD:-} ]]; then
        die "Where the local engine has it: minikube --profile $CONTEXT image load $base"
    fi
    die "Make it of Debian's packages: sudo sh -c 'debootstrap --variant=minbase bookworm /tmp/bookworm" \
        "&& tar -C /tmp/bookworm -c . | docker import --change \"CMD [\\\"bash\\\"]\" - $base'"
}

# ---------------------------------------------------------------- arguments

set_arguments() {
    local name version
    version=$(sed -n 's/^project(bellbuoy VERSION \([^ ]*\).*/\1/p' "$ROOT/CMakeLists.txt")
    TAG=${TAG:-$version}
    export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(commit_time)}
    APT_CONF=$(apt_settings)
    export APT_CONF
    ARGUMENTS+=(--build-arg "VERSION=$version" --build-arg "REVISION=$(revision)"
        --build-arg "SOURCE=$(source_url)" --build-arg SOURCE_DATE_EPOCH
        --build-arg "CREATED=$(date --utc --date "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)")
    for name in "${PROXIES[@]}"; do
        if [[ -n ${!name:-} ]]; then ARGUMENTS+=(--build-arg "$name"); fi
    done
    # A proxy on this machine's loopback address is not on a build container's.
    if grep -qE '://(127\.|localhost|\[::1\])' <<<"${http_proxy:-} ${https_proxy:-} $APT_CONF"; then
        ARGUMENTS+=(--network host)
    fi
}

ours() { git -C "$ROOT" "$@" 2>/dev/null; }

# Of an unpacked archive without history: when it was made.
commit_time() { ours log -1 --format=%ct || stat --format %Y "$ROOT/CMakeLists.txt"; }

revision() { ours describe --always --abbrev=40 --exclude '*' --dirty || echo unknown; }

# As a web address, where there is one, and without whatever a user has put into it to log in.
source_url() {
    { ours remote get-url origin || true; } |
        sed -n -E -e 's#^git@([^:]+):#https://\1/#' -e 's#^(https://)[^/@]*@#\1#' -e 's#\.git$##' -e '/^https:/p'
}

# The host's settings of apt for the network; a program that finds a proxy is not in the container.
apt_settings() {
    has_command apt-config || return 0
    apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|ForceIPv|Retries)' |
        grep -vE '^[^ ]*(Auto-?Detect|::Proxy-Auto|CaInfo|CaPath|SslCert|SslKey)|User-Agent|"";' || true
}

# ---------------------------------------------------------------- building

image_of() { echo "bellbuoy/$1:$TAG"; }

# build_image SERVICE
build_image() {
    local start_ms id bytes status=0 log=$LOGS/$1.log
    start_ms=$(now_ms)
    note "$(image_of "$1")"
    "build_with_$BUILDER" "$1" > >(tee "$log" | plain_steps | show_steps) 2>&1 || status=$?
    wait "$!"
    if [[ $status -ne 0 ]]; then
        tail -n 25 "$log" >&2
        die "$1: the build failed (all of its output: ${log#"$ROOT/"}).$(explain_failure "$log")"
    fi
    read -r id bytes < <(docker image inspect --format '{{.Id}} {{.Size}}' "$(image_of "$1")")
    export_sbom "$1" "$id"
    TABLE+=$(printf '%-32s %5d.%d MB %8s s' "$(image_of "$1")" $((bytes / 1000000)) \
        $((bytes / 100000 % 10)) "$(seconds_since "$start_ms")")$'\n'
}

build_with_buildkit() {
    BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker buildx build "${ARGUMENTS[@]}" --progress plain --load \
        --secret id=apt,env=APT_CONF --tag "$(image_of "$1")" --file "$ROOT/$1/Dockerfile" "$ROOT"
}

build_with_legacy() {
    legacy_dockerfile "$1" | DOCKER_BUILDKIT=0 docker build "${ARGUMENTS[@]}" --build-arg APT_CONF \
        --tag "$(image_of "$1")" --file - "$ROOT"
}

# The same Dockerfile without mounts. What comes as a secret becomes a file in the builder stage, which
# the image has nothing of.
legacy_dockerfile() {
    # shellcheck disable=SC2016  # the builder's variable, not the shell's
    sed -E -e 's/--mount=[^ ]+ ?//g' -e '/ AS builder$/ {
        a ARG APT_CONF
        a RUN echo "$APT_CONF" >/etc/apt/apt.conf.d/99host
    }' "$ROOT/$1/Dockerfile"
}

# "#8 [builder 3/5] RUN ..." and "Step 3/9 : RUN ..." become RUN ..., without what only a builder needs.
plain_steps() {
    sed --unbuffered -nE -e 's/ --mount=[^ ]+//g' -e 's/ +/ /g' \
        -e 's/^(#[0-9]+ \[[^]]*[0-9]\/[0-9]+\]|Step [0-9]+\/[0-9]+ :) //p'
}

# show_steps: names each step once; on a terminal in one line that also tells the time, and that goes
# away at the end.
show_steps() {
    local part line='' step='' shown=$'\n' status start_s=$SECONDS
    while true; do
        status=0
        read -r -t 1 part || status=$?
        line+=$part # in a second without a whole line this may be a part of one
        if [[ $status -eq 0 ]]; then
            step=$line line=''
            if [[ ! -t 1 && $shown != *$'\n'$step$'\n'* ]]; then printf '    %s\n' "${step::100}"; fi
            shown+=$step$'\n'
        elif [[ $status -le 128 ]]; then
            break
        fi
        if [[ -t 1 ]]; then printf '\r\e[K    %4d s  %s' $((SECONDS - start_s)) "${step::60}"; fi
    done
    if [[ -t 1 ]]; then printf '\r\e[K'; fi
}

# What a known failure in LOG means, and the command that mends it.
explain_failure() {
    if grep -qi 'no space left on device' "$1"; then
        echo " The engine's disk is full: docker builder prune"
    elif grep -qE 'Temporary failure resolving|Could not (resolve|connect)|Unable to (connect|fetch)|Failed to fetch' "$1"; then
        echo " The build cannot reach Debian's packages: does this machine need a proxy?" \
            "Then: export http_proxy=http://HOST:PORT"
    elif grep -qi 'exec format error' "$1"; then
        echo " The engine cannot run programs of $PLATFORM: docker run --privileged --rm tonistiigi/binfmt --install all"
    fi
}

# export_sbom SERVICE ID: an image is made into a container, never started, to copy from; again only when
# it has changed.
export_sbom() {
    local container
    if [[ -f $SBOMS/$1.json && $(cat "$LOGS/$1.id" 2>/dev/null) == "$2" ]]; then return; fi
    container=$(docker create ${PLATFORM:+--platform "$PLATFORM"} "$(image_of "$1")")
    docker cp "$container:/usr/share/sbom/bellbuoy-$1.cdx.json" - | tar -xO >"$SBOMS/$1.json"
    docker rm --volumes "$container" >/dev/null
    echo "$2" >"$LOGS/$1.id"
}

# ---------------------------------------------------------------- result

load_images() {
    local service
    local -a images=()
    [[ -n $ENGINE_LOADER ]] || return 0
    for service in "${SERVICES[@]}"; do images+=("$(image_of "$service")"); done
    note "handing the images to the nodes of $CONTEXT"
    has_command "$ENGINE_LOADER" ||
        die "the context is $CONTEXT, and there is no $ENGINE_LOADER to load its images with"
    engine_load "$CONTEXT" "${images[@]}" || die "$ENGINE_LOADER could not load the images (see above)"
}

push_images() {
    local service image
    [[ -n $REGISTRY ]] || return 0
    for service in "${SERVICES[@]}"; do
        image=$REGISTRY/$(image_of "$service")
        note "pushing $image"
        docker tag "$(image_of "$service")" "$image"
        docker push --quiet "$image" ||
            die "$image could not be pushed (see above). If it wants a login: docker login ${REGISTRY%%/*}"
    done
}

print_table() {
    printf '\n%s%-32s %10s %10s%s\n' "$BOLD" image size time "$RESET"
    printf '%s' "$TABLE"
    printf 'In %s after %s s. Contents: build/sbom\n' "$ENGINE_NAME" "$(seconds_since "$STARTED_MS")"
}

main() {
    local service
    STARTED_MS=$(now_ms)
    parse_options "$@"
    choose_engine
    set_arguments
    mkdir -p "$LOGS" "$SBOMS"
    for service in "${SERVICES[@]}"; do build_image "$service"; done
    load_images
    push_images
    print_table
}

main "$@"
