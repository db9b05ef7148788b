#!/usr/bin/env bash
# Bellbuoy on this machine: a broker, a broadcaster and a receiver, all on the loopback address, and where
# there is a Docker engine a manager, which keeps its containers as buoyctl says.
#
# Usage: scripts/run-local.sh [OPTIONS]
#
#   --port N            the dashboard's port (default 5000)
#   --sources N         machines that each broadcaster plays (default 1)
#   --profile LIST      what they send: hello, events, charger, or several with commas (default hello)
#   --data-dir FOLDER   history, broker's data, logs, token, what the manager was told
#                       (default ${XDG_STATE_HOME:-~/.local/state}/bellbuoy)
#   --reset             forgets the history of that folder first
#   --no-build          starts what build/release (or BELLBUOY_BUILD_DIR) has, as it is
#   --help              this text
#
# Installs missing packages (scripts/packages.sh), builds, starts everything and prints the address.
# Ctrl-C ends it; the history stays, and so do the manager's containers. The engine is that of
# DOCKER_HOST (unix://...), else /var/run/docker.sock; DOCKER_HOST=none for no manager. Two of them run side by side with --port and --data-dir.
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/packages.sh
source "$ROOT/scripts/packages.sh"
# shellcheck source=scripts/ports.sh
source "$ROOT/scripts/ports.sh"
# shellcheck source=scripts/supervise.sh
source "$ROOT/scripts/supervise.sh"

STARTED_MS=$(now_ms)
PROGRAMS=$ROOT/build/release
PORT=5000
SOURCES=1
PROFILES=(hello)
DATA_DIR=
FORGET=
BUILD=yes
NODE=$(</proc/sys/kernel/hostname)
readonly NODE
# Why there is none, or nothing.
NO_MANAGER=

parse_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --port | --sources | --profile | --data-dir) take_value "$@" ;;&
        --port) PORT=$VALUE && shift ;;
        --sources) SOURCES=$VALUE && shift ;;
        --profile) IFS=, read -r -a PROFILES <<<"$VALUE" && shift ;;
        --data-dir) DATA_DIR=$VALUE && shift ;;
        --reset) FORGET=yes ;;
        --no-build) BUILD='' PROGRAMS=${BELLBUOY_BUILD_DIR:-$PROGRAMS} ;;
        --help) print_help && exit ;;
        *) usage_error "unknown option '$1'" ;;
        esac
        shift
    done
    check_options
}

check_options() {
    local profile
    require_integer --port "$PORT" 1 65535
    require_integer --sources "$SOURCES" 1 10000
    [[ ${#PROFILES[@]} -gt 0 ]] || usage_error "--profile needs a value"
    for profile in "${PROFILES[@]}"; do
        [[ $profile =~ ^(hello|events|charger)$ ]] ||
            usage_error "--profile must be hello, events or charger, not '$profile'"
    done
    mapfile -t PROFILES < <(printf '%s\n' "${PROFILES[@]}" | awk '!seen[$0]++')
    [[ -n $DATA_DIR || -n ${XDG_STATE_HOME:-} || -n ${HOME:-} ]] ||
        usage_error "there is no HOME to keep the history in: say --data-dir"
    DATA_DIR=$(realpath -m -- "${DATA_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/bellbuoy}")
}

# One run at a time has the folder. The services inherit the lock: it holds while any of them lives.
lock_data_dir() {
    (umask 077 && mkdir -p -- "$DATA_DIR") || die "the folder $DATA_DIR cannot be made"
    { exec {LOCK}>>"$DATA_DIR/lock"; } 2>/dev/null || die "the folder $DATA_DIR cannot be written to"
    if ! flock --nonblock "$LOCK"; then
        die "$DATA_DIR is in use by another run (process $(cat "$DATA_DIR/lock"))." \
            "End that with Ctrl-C, or give this one a folder of its own: --data-dir"
    fi
    echo $$ >"$DATA_DIR/lock"
}

# Only what this script itself has put there.
reset_data_dir() {
    note "forgetting the history in $DATA_DIR"
    rm -rf -- "$DATA_DIR"/{receiver,broker,log} "$DATA_DIR"/{token,broker.port}
}

require_free_port() {
    local listener pid command
    listener=$(port_listener "$PORT") || return 0
    read -r pid command <<<"$listener"
    if [[ $pid == - ]]; then
        fail "port $PORT is in use by another user's process (sudo ss -ltnp 'sport = :$PORT' names it)"
    else
        fail "port $PORT is in use by process $pid: $command"
    fi
    die "End that process, or take another port: $0 --port $((PORT < 65535 ? PORT + 1 : 5001))"
}

build() {
    if [[ -n $BUILD ]]; then
        [[ -x $PROGRAMS/receiver/receiver ]] || note "building (about a minute, once)"
        build_preset release || die "the build failed (see above)"
    fi
    [[ -x $PROGRAMS/receiver/receiver ]] ||
        die "$PROGRAMS has no receiver: start without --no-build"
}

# The port stays the same from run to run where it can, so that one's own publishers find it again.
choose_broker_port() {
    BROKER_PORT=$(cat "$DATA_DIR/broker.port" 2>/dev/null) || BROKER_PORT=
    if [[ ! $BROKER_PORT =~ ^[0-9]+$ || -n $(port_inode "$BROKER_PORT") ]]; then
        BROKER_PORT=$(port_free) || die "no free port for the broker"
        echo "$BROKER_PORT" >"$DATA_DIR/broker.port"
    fi
}

# The settings that the project ships, and where this broker listens and keeps its data. Mosquitto
# started by root would change to a user that cannot write there.
write_broker_conf() {
    mkdir -p -- "$DATA_DIR/broker"
    cat "$ROOT/broker/mosquitto.conf" - >"$DATA_DIR/broker/mosquitto.conf" <<CONF

log_dest stderr
user $(id -un)
listener $BROKER_PORT 127.0.0.1
allow_anonymous true
persistence_location $DATA_DIR/broker/
CONF
}

# Whoever has the token may send from the page.
make_token() {
    [[ -s $DATA_DIR/token ]] && return
    (umask 077 && od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$DATA_DIR/token")
}

start_all() {
    local broker profile source
    broker=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto) || die "no mosquitto found"
    supervise broker "$broker" -c "$DATA_DIR/broker/mosquitto.conf"
    wait_for "the broker" port_answers "$BROKER_PORT"
    supervise receiver "$PROGRAMS/receiver/receiver" \
        --broker-url "mqtt://127.0.0.1:$BROKER_PORT" --listen-address 127.0.0.1 --port "$PORT" \
        --data-dir "$DATA_DIR/receiver" --token-file "$DATA_DIR/token"
    wait_for "the receiver" http_ready "$PORT"
    for profile in "${PROFILES[@]}"; do
        source=$(hostname_level)
        [[ $profile == hello ]] || source+=-$profile
        supervise "$profile" "$PROGRAMS/broadcaster/broadcaster" \
            --broker-url "mqtt://127.0.0.1:$BROKER_PORT" --profile "$profile" --source "$source" \
            --sources "$SOURCES" --admin-address ""
    done
    start_manager
}

# The engine's socket in SOCKET; status 1 and NO_MANAGER, the reason, when there is none to use.
find_engine() {
    SOCKET=${DOCKER_HOST:-unix:///var/run/docker.sock}
    if [[ $SOCKET != unix://* ]]; then
        NO_MANAGER="DOCKER_HOST=$SOCKET is no socket of this machine"
    elif SOCKET=${SOCKET#unix://} && [[ ! -S $SOCKET ]]; then
        NO_MANAGER="there is no Docker engine at $SOCKET (sudo apt-get install docker.io)"
    elif [[ ! -w $SOCKET ]]; then
        NO_MANAGER="you may not use the Docker engine at $SOCKET (sudo usermod -aG docker $(id -un), and log in again)"
    else
        return 0
    fi
    return 1
}

start_manager() {
    find_engine || return 0
    supervise manager "$PROGRAMS/manager/manager" --broker-url "mqtt://127.0.0.1:$BROKER_PORT" \
        --node "$NODE" --docker-socket "$SOCKET" --state-dir "$DATA_DIR/manager" --admin-address ""
}

# This machine's name as one level of a topic.
hostname_level() { tr -c 'A-Za-z0-9_\n-' _ </proc/sys/kernel/hostname; }

print_address() {
    cat <<TEXT

  ${GREEN}Bellbuoy is ready${RESET} after $(seconds_since "$STARTED_MS") s

    Dashboard   ${BOLD}http://localhost:$PORT${RESET}
    Broker      mqtt://127.0.0.1:$BROKER_PORT
    History     $DATA_DIR
    Token       $DATA_DIR/token (for the page's send box)
    Containers  $(containers_hint)

  Ctrl-C ends everything; the history stays$([[ -n $NO_MANAGER ]] || echo ", and the manager's containers run on").

TEXT
}

containers_hint() {
    if [[ -n $NO_MANAGER ]]; then
        echo "no manager: $NO_MANAGER"
    else
        echo "$PROGRAMS/manager/ctl/buoyctl apply --broker-url mqtt://127.0.0.1:$BROKER_PORT --node $NODE compose.yaml"
    fi
}

main() {
    parse_options "$@"
    lock_data_dir
    require_free_port
    packages_ensure run ${BUILD:+build}
    build
    if [[ -n $FORGET ]]; then reset_data_dir; fi
    choose_broker_port
    write_broker_conf
    make_token
    supervise_init "$DATA_DIR/log"
    start_all
    print_address
    supervise_until_stopped
}

main "$@"
