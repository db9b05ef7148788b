# shellcheck shell=bash
# Why something did not become ready: each pod's state, events and last log lines, and what they mean.
# Sourced by scripts/deploy.sh.

readonly EXPLAIN_EVENTS=5
readonly EXPLAIN_LOG_LINES=10

# All goes to stderr.
explain() {
    local pod
    while read -r pod; do
        explain_pod "$pod"
    done < <(awk '$1 == "pod" && $4 == "no" { print $2 }' "$WORK/progress") >&2
    explain_refused >&2
    explain_claims >&2
}

# means WHAT [COMMAND]
means() {
    printf '  %smeans:%s   %s\n' "$BOLD" "$RESET" "$1"
    if [[ -n ${2:-} ]]; then printf '  %smend it:%s %s\n' "$BOLD" "$RESET" "$2"; fi
}

in_namespace() { echo "kubectl --context $CONTEXT --namespace $NAMESPACE"; }

explain_pod() {
    local pod=$1 log events states
    # Of the managers' pods all is asked, and said, in their namespace.
    local NAMESPACE=$NAMESPACE
    [[ $pod != *-manager-* || -z $NODES_NAMESPACE ]] || NAMESPACE=$NODES_NAMESPACE
    states=$(awk -v pod="$pod" '$1 == "pod" && $2 == pod { for (i = 7; i <= NF; i++) print $i }' \
        "$WORK/progress")
    events=$(events_of pod "$pod")
    log=$(pod_log "$pod")
    printf '\n%s%s%s: %s\n' "$BOLD" "$pod" "$RESET" "$(paste -sd' ' <<<"${states:-Pending}")"
    if [[ -n $events ]]; then
        echo "  events:"
        tail -n "$EXPLAIN_EVENTS" <<<"$events" | sed 's/^/    /'
    fi
    if [[ -n $log ]]; then
        echo "  last log lines:"
        printf '    %s\n' "${log//$'\n'/$'\n'    }"
    fi
    explain_states "$pod" "$states" "$events" "$log"
}

# events_of KIND NAME: of this very object, not of an earlier one of that name.
events_of() {
    local uid
    uid=$(kube get "$1" "$2" --output 'jsonpath={.metadata.uid}' 2>/dev/null) || return 0
    kube get events --field-selector "involvedObject.uid=$uid" --sort-by=.metadata.creationTimestamp \
        --output 'go-template={{range .items}}{{.type}} {{.reason}}: {{.message}}{{"\n"}}{{end}}' \
        2>/dev/null | cut -c1-400
}

# Of the container that ended, where it was started again: the present one may have nothing to say yet.
pod_log() {
    local log
    for log in --previous --previous=false; do
        log=$(kube logs "$1" "$log" --tail "$EXPLAIN_LOG_LINES" 2>/dev/null) || continue
        [[ -z $log || $log == "unable to retrieve container logs"* ]] || break
    done
    echo "$log"
}

pod_images() { kube get pod "$1" --output 'jsonpath={.spec.containers[*].image}' 2>/dev/null; }

# The scheduler's own reason.
pod_unscheduled() {
    kube get pod "$1" --output 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].message}' 2>/dev/null
}

explain_states() {
    local pod=$1 states=$2 events=$3 log=$4
    case $states in
    *ErrImageNeverPull*)
        means "the node has no image $(pod_images "$pod"), and may not pull it (pullPolicy Never)" \
            "scripts/build-images.sh"
        ;;
    *ImagePull* | *InvalidImageName*) explain_image "$pod" "$events" ;;
    *CreateContainerConfigError*) explain_missing_object "$events" ;;
    *Unschedulable*) explain_unschedulable "$(pod_unscheduled "$pod")" ;;
    *) explain_running "$pod" "$states" "$events" "$log" ;;
    esac
}

explain_image() {
    local image
    image=$(pod_images "$1")
    if image_is_local "$image"; then
        means "the node has no image $image, and no registry serves it" "scripts/build-images.sh"
    elif grep -qiE 'unauthorized|denied|authentication' <<<"$2"; then
        means "the registry of $image wants a login" \
            "$(in_namespace) create secret docker-registry NAME --docker-server=... (and --set imagePullSecrets)"
    else
        means "the registry does not serve $image, or cannot be reached from the node" \
            "scripts/build-images.sh --push ${image%%/*}    (or correct image.registry and image.tag)"
    fi
}

# A Secret or ConfigMap that the pod wants and that is not there.
explain_missing_object() {
    means "the pod wants an object that is not there: $(grep -oE '(secret|configmap) "[^"]*" not found' <<<"$1" | tail -n 1)" \
        "$(certificates_command --apply)"
}

explain_unschedulable() {
    case $1 in
    *PersistentVolumeClaim*) means "its volume is not there yet (see the claims below)" ;;
    *"Insufficient "*)
        means "no node has that much left ($(grep -oE 'Insufficient [a-z-]+' <<<"$1" | sort -u | paste -sd, ))" \
            "$(command_for_a_bigger_node)"
        ;;
    *taint*) means "all nodes keep pods away (taints)" "kubectl --context $CONTEXT describe nodes | grep -A2 Taints" ;;
    *) means "no node fits" "kubectl --context $CONTEXT describe nodes" ;;
    esac
}

command_for_a_bigger_node() {
    if [[ $CONTEXT_KIND == minikube ]]; then
        echo "minikube delete && $MINIKUBE_START --cpus=4 --memory=4g    (or smaller resources in --values)"
    else
        echo "kubectl --context $CONTEXT describe nodes    (and smaller resources in --values)"
    fi
}

explain_running() {
    local pod=$1 states=$2 events=$3 log=$4
    if grep -qiE 'certificate (has )?expired|certificate is not yet valid' <<<"$log"; then
        # shellcheck disable=SC2046  # names have no spaces
        means "a certificate has expired" "$(certificate_command $(needs mounts | grep -- '-tls$'))"
    elif grep -qE 'FailedMount.*not found' <<<"$events"; then
        explain_missing_object "$events"
    elif [[ $(last_end "$pod") == OOMKilled ]]; then
        means "it took more memory than its limit" "$(self) --set KEY.resources.limits.memory=...    (see helm show values)"
    elif [[ $states == *CrashLoopBackOff* || $states == *Error* ]]; then
        means "the program ends by itself soon after its start; its last lines above say why" \
            "$(in_namespace) logs $pod --previous"
    elif [[ $states == *RunContainerError* || $states == *CreateContainerError* ]]; then
        means "the container cannot be started; the events above say why" "$(in_namespace) describe pod $pod"
    elif [[ $states == *Running* ]]; then
        means "it runs, and its readiness probe says not yet; its last lines above say why" \
            "$(in_namespace) logs $pod --follow"
    else
        means "it was still being started" "$(self --timeout $((TIMEOUT_S * 2)))"
    fi
}

last_end() {
    kube get pod "$1" --output 'jsonpath={.status.containerStatuses[*].lastState.terminated.reason}' 2>/dev/null
}

# Pods that the API server does not admit: only their workload's events tell.
explain_refused() {
    local message seen=
    while IFS=$'\t' read -r _ _ message; do
        message=${message##*is forbidden: }
        [[ $seen != *"|$message|"* ]] || continue
        seen+="|$message|"
        printf '\n%sa pod was refused%s: %s\n' "$BOLD" "$RESET" "${message:0:600}"
        case $message in
        *"exceeded quota"*)
            means "the namespace's ResourceQuota is too small" \
                "$(in_namespace) edit resourcequota $(sed -n 's/.*exceeded quota: \([^,]*\),.*/\1/p' <<<"$message")"
            ;;
        *"failed quota"*)
            means "the namespace's ResourceQuota wants limits that the pods do not state" \
                "$(in_namespace) get resourcequota    (and set resources in --values)"
            ;;
        *PodSecurity*)
            means "it wants more rights than the namespace's Pod Security level admits; Bellbuoy's own pods meet 'restricted'" \
                "$(self)    (without the values that change securityContext)"
            ;;
        *) means "the cluster's admission control says no" "$(in_namespace) get events" ;;
        esac
    done < <(events_of_type FailedCreate)
}

explain_claims() {
    local claim class
    while read -r claim class; do
        printf '\nvolume claim %s: Pending\n' "$claim"
        events_of pvc "$claim" | tail -n "$EXPLAIN_EVENTS" | sed 's/^/    /'
        if [[ $class == - ]]; then
            means "it names no StorageClass, and the cluster has no default one" \
                "kubectl --context $CONTEXT annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true"
        else
            means "the StorageClass '$class' has not made a volume" "kubectl --context $CONTEXT get storageclass $class"
        fi
    done < <(kube get pvc --selector "$INSTANCE" --output \
        'go-template={{range .items}}{{if eq .status.phase "Pending"}}{{.metadata.name}} {{or .spec.storageClassName "-"}}{{"\n"}}{{end}}{{end}}' \
        2>/dev/null)
}
