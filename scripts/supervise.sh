# shellcheck shell=bash
# A few services in the foreground of one script: started, their logs forwarded under their names,
# started again when they die, ended in reverse order. Sourced; needs lib.sh.

# A service that dies this often before it has lived SUPERVISE_STEADY_S is given up.
readonly SUPERVISE_ATTEMPTS=3
readonly SUPERVISE_STEADY_S=10

# By name, in the order of their start.
SUPERVISE_NAMES=()
declare -A SUPERVISE_PID SUPERVISE_COMMAND SUPERVISE_STARTED SUPERVISE_DEATHS SUPERVISE_FORWARDER
SUPERVISE_LOGS=

# supervise_init LOG_DIR: keeps each service's log of this run and of the one before there.
supervise_init() {
    SUPERVISE_LOGS=$1
    mkdir -p -- "$SUPERVISE_LOGS"
    SUPERVISE_PIPES=$(mktemp -d)
    trap 'supervise_stop; exit 0' INT TERM HUP
    trap 'supervise_stop' EXIT
}

# supervise NAME COMMAND...: starts it.
supervise() {
    local name=$1
    shift
    SUPERVISE_NAMES+=("$name")
    SUPERVISE_COMMAND[$name]=$(printf '%q ' "$@")
    SUPERVISE_DEATHS[$name]=0
    if [[ -f $SUPERVISE_LOGS/$name.log ]]; then
        mv -f -- "$SUPERVISE_LOGS/$name.log" "$SUPERVISE_LOGS/$name.log.1"
    fi
    supervise_start "$name"
}

# In a session of its own, so that Ctrl-C reaches this script alone, which then ends all in order; and
# with a signal for the case that this script itself is killed.
supervise_start() {
    local name=$1 pipe=$SUPERVISE_PIPES/$1
    local -a command
    eval "command=(${SUPERVISE_COMMAND[$name]})"
    [[ -p $pipe ]] || mkfifo "$pipe"
    supervise_forward "$name" <"$pipe" &
    SUPERVISE_FORWARDER[$name]=$!
    setsid setpriv --pdeathsig TERM "${command[@]}" >"$pipe" 2>&1 </dev/null &
    SUPERVISE_PID[$name]=$!
    # The shell's own remark on a process that a signal ended says less than ours.
    disown $!
    SUPERVISE_STARTED[$name]=$SECONDS
}

# Copies a service's lines to its log and, under its name, to the terminal, until the service closes
# its end: the signals that end this script must not end it earlier.
supervise_forward() {
    local colours=("$BLUE" "$GREEN" "$YELLOW" "$BOLD") colour='' index
    for index in "${!SUPERVISE_NAMES[@]}"; do
        [[ ${SUPERVISE_NAMES[index]} != "$1" ]] || colour=${colours[index % 4]}
    done
    trap '' INT TERM HUP
    tee -a -- "$SUPERVISE_LOGS/$1.log" |
        sed -u "s/^/$(printf '%s%-9s%s| ' "$colour" "$1" "$RESET")/"
}

# wait_for WHAT CONDITION...: polls for 30 s; gives up when a service has died by then.
wait_for() {
    local what=$1 name deadline=$((SECONDS + 30))
    shift
    until "$@" 2>/dev/null; do
        for name in "${SUPERVISE_NAMES[@]}"; do
            kill -0 "${SUPERVISE_PID[$name]}" 2>/dev/null || supervise_give_up "$name"
        done
        [[ $SECONDS -lt $deadline ]] || supervise_give_up "${SUPERVISE_NAMES[-1]}" "$what is not ready"
        sleep 0.02
    done
}

port_answers() { : <"/dev/tcp/127.0.0.1/$1"; }

# http_ready PORT: GET /readyz answers 200.
http_ready() {
    local connection status
    exec {connection}<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&"$connection"
    read -r -t 2 _ status _ <&"$connection" || status=
    exec {connection}>&-
    [[ $status == 200 ]]
}

# Until a signal comes; what dies is started again. Looked for each second: of two that die at once
# `wait -n` tells of one. A second is waited for by reading what nobody writes: a `sleep` would live on
# when this script has ended, and keep its locks.
supervise_until_stopped() {
    local name never
    mkfifo "$SUPERVISE_PIPES/.never"
    exec {never}<>"$SUPERVISE_PIPES/.never"
    while :; do
        read -r -t 1 -u "$never" || true
        for name in "${SUPERVISE_NAMES[@]}"; do
            kill -0 "${SUPERVISE_PID[$name]}" 2>/dev/null || supervise_revive "$name"
        done
    done
}

supervise_revive() {
    local name=$1
    if ((SECONDS - SUPERVISE_STARTED[$name] >= SUPERVISE_STEADY_S)); then
        SUPERVISE_DEATHS[$name]=0
    fi
    ((++SUPERVISE_DEATHS[$name] < SUPERVISE_ATTEMPTS)) || supervise_give_up "$name"
    warn "$name (process ${SUPERVISE_PID[$name]}) ended unexpectedly; starting it again"
    sleep 1
    supervise_start "$name"
}

# supervise_give_up NAME [REASON]: says which service and why, and ends everything with status 1.
supervise_give_up() {
    local name=$1
    supervise_stop
    fail "${2:-$name has ended}. Its last lines ($SUPERVISE_LOGS/$name.log):"
    tail -n 10 -- "$SUPERVISE_LOGS/$name.log" | sed 's/^/    /' >&2
    exit 1
}

# Ends all, the last started first, so that what was sent is still received. A second Ctrl-C is not
# waited for: each service has 6 s.
supervise_stop() {
    local index name
    trap '' INT TERM HUP
    trap - EXIT
    for ((index = ${#SUPERVISE_NAMES[@]} - 1; index >= 0; index--)); do
        name=${SUPERVISE_NAMES[index]}
        supervise_end "${SUPERVISE_PID[$name]}" || warn "$name did not end in time and was killed"
        wait "${SUPERVISE_FORWARDER[$name]}" 2>/dev/null || true
    done
    rm -rf -- "$SUPERVISE_PIPES"
}

# supervise_end PID: SIGTERM, and SIGKILL after 6 s.
supervise_end() {
    local deadline=$((SECONDS + 6))
    kill -TERM "$1" 2>/dev/null || true
    while kill -0 "$1" 2>/dev/null; do
        if [[ $SECONDS -ge $deadline ]]; then
            kill -KILL "$1"
            return 1
        fi
        sleep 0.02
    done
}
