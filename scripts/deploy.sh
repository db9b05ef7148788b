#!/usr/bin/env bash
# Bellbuoy on the Kubernetes cluster of kubectl's context: checks what is needed, installs or upgrades,
# waits until everything is ready, and opens the dashboard on http://localhost:5000 until Enter.
#
# Usage: scripts/deploy.sh [OPTIONS]
#
#   --port N           the dashboard's local port (default 5000)
#   --no-forward       ends when all is ready, without the port-forward
#   --context NAME     kubectl's context (default: the current one)
#   --namespace NAME   default bellbuoy; made when missing, with Pod Security "restricted" enforced
#   --values FILE      values for the chart; may be repeated, the later wins
#   --set KEY=VALUE    one value; may be repeated
#   --chart FOLDER     another chart than helm/bellbuoy
#   --timeout SECONDS  for everything to become ready (default 300)
#   --uninstall        removes all but the data (volumes and namespace stay), first of all the containers
#                      that managers have made
#   --purge            removes all, data included, and the namespaces if this script has made them
#   --yes              asks nothing
#   --help             this text
#
# Nodes that run Docker get a manager: on minikube by itself, elsewhere by
# --set manager.enabled=true,manager.docker.gid=GROUP (of the nodes' /var/run/docker.sock); --set
# manager.enabled=false for none.
# Asks before it acts on a cluster that is not minikube, kind or k3d, and before --purge.
# An upgrade that fails is rolled back; a first installation that fails stays, to be looked at.
# Without helm it applies kubernetes/ with kubectl, which takes neither --values nor --set.
#
# Exit status: 0 done, 1 it failed (and says why), 2 wrong option or nobody said yes,
# 3 something that is needed is missing (each with the command that mends it); nothing was changed.
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
readonly RELEASE=bellbuoy
readonly INSTANCE=app.kubernetes.io/instance=$RELEASE

# shellcheck source=scripts/ports.sh
source "$ROOT/scripts/ports.sh"
# shellcheck source=scripts/kube.sh
source "$ROOT/scripts/kube.sh"
# shellcheck source=scripts/deploy/preflight.sh
source "$ROOT/scripts/deploy/preflight.sh"
# shellcheck source=scripts/deploy/needs.sh
source "$ROOT/scripts/deploy/needs.sh"
# shellcheck source=scripts/deploy/manager.sh
source "$ROOT/scripts/deploy/manager.sh"
# shellcheck source=scripts/deploy/context.sh
source "$ROOT/scripts/deploy/context.sh"
# shellcheck source=scripts/deploy/install.sh
source "$ROOT/scripts/deploy/install.sh"
# shellcheck source=scripts/deploy/progress.sh
source "$ROOT/scripts/deploy/progress.sh"
# shellcheck source=scripts/deploy/explain.sh
source "$ROOT/scripts/deploy/explain.sh"
# shellcheck source=scripts/deploy/forward.sh
source "$ROOT/scripts/deploy/forward.sh"
# shellcheck source=scripts/deploy/remove.sh
source "$ROOT/scripts/deploy/remove.sh"

STARTED_MS=$(now_ms)
ACTION=install
CONTEXT=
CONTEXT_GIVEN=
NAMESPACE=bellbuoy
CHART=$ROOT/helm/bellbuoy
PORT=5000
TIMEOUT_S=300
FORWARD=yes
YES=
# --values and --set as helm takes them, in their order.
VALUES=()

parse_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --port | --context | --namespace | --values | --set | --chart | --timeout) take_value "$@" ;;&
        --port) PORT=$VALUE && shift ;;
        --context) CONTEXT=$VALUE CONTEXT_GIVEN=yes && shift ;;
        --namespace) NAMESPACE=$VALUE && shift ;;
        --values | --set) VALUES+=("$1" "$VALUE") && shift ;;
        --chart) CHART=$VALUE && shift ;;
        --timeout) TIMEOUT_S=$VALUE && shift ;;
        --no-forward) FORWARD='' ;;
        --uninstall | --purge) ACTION=${1#--} ;;
        --yes) YES=yes ;;
        --help) print_help && exit ;;
        *) usage_error "unknown option '$1'" ;;
        esac
        shift
    done
    check_options
}

check_options() {
    local index
    require_integer --port "$PORT" 1 65535
    require_integer --timeout "$TIMEOUT_S" 1 86400
    [[ ${#NAMESPACE} -le 63 && $NAMESPACE =~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$ ]] ||
        usage_error "--namespace must be small letters, digits and '-', not '$NAMESPACE'"
    readonly RELEASE_NAMESPACE=$NAMESPACE
    for ((index = 0; index < ${#VALUES[@]}; index += 2)); do
        case ${VALUES[index]} in
        --values) [[ -r ${VALUES[index + 1]} && ! -d ${VALUES[index + 1]} ]] ||
            usage_error "--values: there is no readable file '${VALUES[index + 1]}'" ;;
        --set) [[ ${VALUES[index + 1]} == ?*=* ]] ||
            usage_error "--set needs KEY=VALUE, not '${VALUES[index + 1]}'" ;;
        esac
    done
    if [[ $ACTION == install ]]; then
        [[ -f $CHART/Chart.yaml ]] || usage_error "there is no chart in '$CHART'"
    fi
}

# The user's answers come from where standard input was at the start; the programs that we start must
# not eat them.
keep_input() {
    { : <&0; } 2>/dev/null || exec </dev/null
    exec {INPUT}<&0 </dev/null
}

# Ctrl-C while helm is at work: it marks the release as failed and ends, and the next run goes on.
interrupted() {
    local child
    trap '' INT TERM HUP
    for child in $(jobs -p); do
        kill -TERM "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    done
    fail "interrupted; what was begun is still there. Go on: $(self)    remove it: $(self --uninstall)"
    exit 130
}

# The two programs on the cluster that was chosen.
kube() { kubectl --context "$CONTEXT" --namespace "$NAMESPACE" --request-timeout 20s "$@"; }
helm_run() { helm --kube-context "$CONTEXT" --namespace "$NAMESPACE" "$@"; }

# self OPTION...: this script on the same cluster and namespace, as a command to copy.
self() {
    local command=$0
    [[ -z $CONTEXT_GIVEN ]] || command+=" --context $CONTEXT"
    [[ $RELEASE_NAMESPACE == bellbuoy ]] || command+=" --namespace $RELEASE_NAMESPACE"
    echo "$command${*:+ $*}"
}

# ask QUESTION: status 0 for yes. Where nobody can answer, --yes must have said it.
ask() {
    local answer
    [[ -z $YES ]] || return 0
    [[ -t $INPUT && -t 1 ]] || usage_error "$1 There is no terminal to ask on: say --yes"
    printf '%s [y/N] ' "$1"
    read -r -u "$INPUT" answer || answer=
    [[ $answer == [yY]* ]] || {
        fail "nothing was done"
        exit 2
    }
}

# A cluster that is not a toy is not touched by mistake.
ask_for_context() {
    [[ $CONTEXT_KIND == other ]] || return 0
    ask "The context '$CONTEXT' is neither minikube nor kind nor k3d. Go on with it, namespace '$NAMESPACE'?"
}

main() {
    parse_options "$@"
    keep_input
    WORK=$(mktemp -d)
    trap 'rm -rf -- "$WORK"' EXIT
    trap interrupted INT TERM HUP
    note "looking at what is needed"
    preflight_cluster
    case $ACTION in
    install)
        preflight_install
        preflight_report
        ask_for_context
        install
        if [[ -n $FORWARD ]]; then forward_until_enter; else print_summary; fi
        ;;
    uninstall | purge)
        preflight_report
        ask_for_context
        remove
        ;;
    esac
}

main "$@"
