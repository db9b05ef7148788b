# shellcheck shell=bash
# The dashboard on a local port, for as long as somebody looks: a kubectl port-forward that is started
# again when the pod behind it is replaced (kubectl alone stays with the old one). Sourced by
# scripts/deploy.sh.

readonly FORWARD_PROBE_EVERY_S=2
# While the connection is lost.
readonly FORWARD_RETRY_EVERY_S=0.3
# How long a kubectl may take until the page answers, and how long the first one that does.
readonly FORWARD_ATTEMPT_S=3
readonly FORWARD_PATIENCE_S=60

FORWARD_PID=
FORWARD_STARTED=
# When the connection was lost, or nothing.
FORWARD_LOST=

# Until Enter, end of input, Ctrl-C or SIGTERM; all of them end well. From the moment that the user is
# told so, and as long as the page answers, only builtins run: bash forgets a Ctrl-C that comes in the
# instant that a child of its ends.
forward_until_enter() {
    local status pause
    trap 'forward_end; rm -rf -- "$WORK"' EXIT
    # A connection that kubectl closes while we write to it must not end us.
    trap '' PIPE
    trap 'echo; note "the port-forward is closed; Bellbuoy runs on"; exit 0' INT TERM HUP
    FORWARD_SERVICE=$(receiver_service)
    [[ -n $FORWARD_SERVICE ]] || die "there is no Service of the receiver in the namespace '$NAMESPACE'"
    forward_open
    forward_print
    while :; do
        status=0
        pause=$FORWARD_PROBE_EVERY_S
        [[ -z $FORWARD_LOST ]] || pause=$FORWARD_RETRY_EVERY_S
        read -r -t "$pause" -u "$INPUT" _ || status=$?
        # Above 128 it is the timeout; 0 is a line, 1 the end.
        [[ $status -gt 128 ]] || break
        forward_check
    done
    note "$([[ $status -eq 0 ]] && echo Enter || echo "end of input"): the port-forward is closed; Bellbuoy runs on." \
        "To open it again: $(in_namespace) port-forward service/$FORWARD_SERVICE $PORT:http"
}

receiver_service() {
    kube get service --selector "$INSTANCE,app.kubernetes.io/component=receiver" \
        --output 'jsonpath={.items[0].metadata.name}' 2>/dev/null
}

# In a session of its own, so that Ctrl-C reaches this script alone; and with a signal for the case that
# this script itself is killed.
forward_start() {
    setsid setpriv --pdeathsig TERM kubectl --context "$CONTEXT" --namespace "$NAMESPACE" \
        port-forward "service/$FORWARD_SERVICE" "$PORT:http" >"$WORK/forward" 2>&1 &
    FORWARD_PID=$! FORWARD_STARTED=$SECONDS
}

forward_end() {
    [[ -n $FORWARD_PID ]] || return 0
    kill -TERM "$FORWARD_PID" 2>/dev/null || true
    # The shell's own remark on a process that a signal ended says less than ours.
    wait "$FORWARD_PID" 2>/dev/null || true
    FORWARD_PID=
}

# The first connection: the page must have answered before its address is printed.
forward_open() {
    local deadline=$((SECONDS + FORWARD_PATIENCE_S))
    forward_start
    until forward_answers; do
        if [[ $SECONDS -ge $deadline ]]; then
            fail "no answer through the port-forward within $FORWARD_PATIENCE_S s: $(tail -n 1 "$WORK/forward")"
            die "Try it by hand: $(in_namespace) port-forward service/$FORWARD_SERVICE $PORT:http"
        fi
        forward_renew
        sleep 0.1
    done
}

# One look: a page that does not answer is a lost connection.
forward_check() {
    if forward_answers; then
        if [[ -n $FORWARD_LOST ]]; then
            note "connected again after $(seconds_since "$FORWARD_LOST") s"
            FORWARD_LOST=
        fi
        return
    fi
    if [[ -z $FORWARD_LOST ]]; then
        FORWARD_LOST=$(now_ms)
        warn "the connection to the pod is lost; it is made again as soon as there is a pod"
    fi
    forward_renew
}

# A kubectl that has ended, or that has had its time, makes room for another.
forward_renew() {
    if ! kill -0 "$FORWARD_PID" 2>/dev/null ||
        [[ $((SECONDS - FORWARD_STARTED)) -gt $FORWARD_ATTEMPT_S ]]; then
        forward_end
        forward_start
    fi
}

# The receiver's own probe, through the port-forward.
forward_answers() {
    local connection status
    { exec {connection}<>"/dev/tcp/127.0.0.1/$PORT"; } 2>/dev/null || return 1
    { printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&"$connection"; } \
        2>/dev/null || true
    { read -r -t 3 _ status _ <&"$connection"; } 2>/dev/null || status=
    exec {connection}>&-
    [[ $status == 200 ]]
}

forward_print() {
    local commands
    commands=$(print_commands)
    printf '\n    Dashboard   %s\n%s\n\n  Enter closes the port-forward; Bellbuoy runs on.\n\n' \
        "${BOLD}http://localhost:$PORT$RESET" "$commands"
}

# After --no-forward: how to look at it.
print_summary() {
    FORWARD_SERVICE=$(receiver_service)
    cat <<TEXT

    Dashboard   $(in_namespace) port-forward service/$FORWARD_SERVICE $PORT:http
                and then http://localhost:$PORT
$(print_commands)

TEXT
}

print_commands() {
    cat <<TEXT
    Logs        $(in_namespace) logs --selector $INSTANCE --all-containers --prefix --follow
    Token       $(in_namespace) get secret $RELEASE-token --output go-template='{{.data.token | base64decode}}'
TEXT
    if [[ -n $NODES_NAMESPACE ]]; then
        cat <<TEXT
    Containers  kubectl --context $CONTEXT --namespace $NODES_NAMESPACE logs daemonset/$RELEASE-manager --follow
                buoyctl apply --node $(kube get nodes --output 'jsonpath={.items[0].metadata.name}') compose.yaml
TEXT
    fi
    echo "    Remove      $(self --uninstall)"
}
