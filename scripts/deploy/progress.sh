# shellcheck shell=bash
# How far each workload is, while it is waited for: a live table on a terminal, else a line for each
# change. Sourced by scripts/deploy.sh.

# A pod that cannot start as things are says so for this long before it is believed.
readonly FAULT_STANDS_S=20

# What stands in the way; and since when.
FAULT=
FAULT_SINCE=
TABLE_LINES=0
# The table's lines by workload, and those that were printed.
declare -A PROGRESS SHOWN

progress_read() {
    local where
    for where in $NAMESPACE $NODES_NAMESPACE; do
        kube get statefulset,deployment,daemonset,replicaset,pod --namespace "$where" --selector "$INSTANCE" \
            --output "go-template-file=$ROOT/scripts/deploy/progress.tmpl" 2>/dev/null || return 0
    done >"$WORK/progress.new"
    mv "$WORK/progress.new" "$WORK/progress"
}

# progress_until_end PID [patiently]: shows the progress until helm has ended; its status. A fault that
# stands is in FAULT, and ends helm unless it shall have all its time.
progress_until_end() {
    local status=0
    progress_begin
    while kill -0 "$1" 2>/dev/null; do
        progress_turn
        if [[ -z ${2:-} ]] && progress_hopeless; then
            kill -TERM "$1" 2>/dev/null || true
            wait "$1" || true
            return 1
        fi
        sleep 0.5
    done
    wait "$1" || status=$?
    progress_turn
    return "$status"
}

# progress_until_settled: the same without helm, until all is ready, for TIMEOUT_S at most.
progress_until_settled() {
    local deadline=$((SECONDS + TIMEOUT_S))
    progress_begin
    until progress_turn && progress_settled; do
        progress_hopeless && return 1
        [[ $SECONDS -lt $deadline ]] || return 1
        sleep 0.5
    done
}

progress_begin() {
    TABLE_LINES=0 FAULT='' FAULT_SINCE='' PROGRESS=() SHOWN=()
    PROGRESS_START=$(date --utc +%FT%TZ)
    : >"$WORK/progress"
}

progress_turn() {
    progress_read
    progress_tell
    progress_fault
    progress_unstick
}

# Every workload is as its object says, with the newest pods.
progress_settled() {
    awk '$1 == "workload" { n++; if ($4 != $5 || $4 != $6 || $4 != $7 || $8 != "yes") bad = 1 }
        END { exit bad || !n }' "$WORK/progress"
}

progress_tell() {
    local name component wanted ready updated total settled key pods
    local -a names=()
    while read -r _ name component wanted ready updated total settled _; do
        names+=("$name")
        if [[ "$ready $updated $total $settled" == "$wanted $wanted $wanted yes" ]]; then
            PROGRESS[$name]="$GREEN$ready/$wanted ready$RESET"
        else
            pods=$(progress_pods "$component")
            PROGRESS[$name]="$ready/$wanted ready${pods:+ ($pods)}"
        fi
    done < <(grep '^workload ' "$WORK/progress")
    if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then
        [[ $TABLE_LINES -eq 0 ]] || printf '\e[%dA' "$TABLE_LINES"
        TABLE_LINES=${#names[@]}
    fi
    for key in "${names[@]}"; do
        if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then
            printf '\r\e[K    %-24s %s\n' "$key" "${PROGRESS[$key]}"
        elif [[ ${SHOWN[$key]:-} != "${PROGRESS[$key]}" ]]; then
            printf '    %-24s %s\n' "$key" "${PROGRESS[$key]}"
            SHOWN[$key]=${PROGRESS[$key]}
        fi
    done
}

# progress_pods COMPONENT: what its pods that are not ready are at.
progress_pods() {
    awk -v component="$1" '$1 == "pod" && $3 == component && $4 == "no" {
            state = $7 == "Running" ? "starting" : ($7 == "" ? "Pending" : $7)
            if (!seen[state]++) text = text (text ? ", " : "") state
        }
        END { print text }' "$WORK/progress"
}

# progress_fault: the first thing that no waiting mends, in FAULT, with the time since when.
progress_fault() {
    local found
    found=$(progress_broken | awk '$4 == "new" { print "pod " $1 ": " $3; exit }')
    [[ -n $found ]] || found=$(progress_refused)
    if [[ -z $found || ${found%:*} != "${FAULT%:*}" ]]; then FAULT_SINCE=$SECONDS; fi
    FAULT=$found
}

# progress_broken: "POD COMPONENT STATE new|old|going" of each that cannot start as things are. Those of an
# earlier revision are old in a StatefulSet; a Deployment's go by themselves.
progress_broken() {
    awk '
        $1 == "workload" { revision[$3] = $9; if ($9 ~ /^#/) numbered[$3] = 1 }
        $1 == "set" && revision[$2] == $4 { revision[$2] = $3 }
        $1 == "pod" && $4 == "no" {
            age = $6 == "-" || revision[$3] == "-" || $6 == revision[$3] ? "new" : ($3 in numbered ? "going" : "old")
            for (i = 7; i <= NF; i++)
                if ($i ~ /^(ErrImageNeverPull|ErrImagePull|ImagePullBackOff|InvalidImageName|CrashLoopBackOff|CreateContainerConfigError|CreateContainerError|RunContainerError|Unschedulable|SchedulerError)$/ ||
                    ($i == "Error" && $5 > 1)) {
                    print $2, $3, $i, age
                    break
                }
        }' <(grep '^workload' "$WORK/progress") <(grep '^set' "$WORK/progress") <(grep '^pod' "$WORK/progress")
}

# A StatefulSet waits for its broken pod to become ready before it replaces it, for ever (known of
# Kubernetes: "forced rollback"). So the pods of an earlier revision that cannot start are removed.
progress_unstick() {
    local pod
    while read -r pod _; do
        kube delete pod "$pod" --wait=false >/dev/null 2>&1 || true
    done < <(progress_broken | grep ' old$')
}

# A workload that lacks pods because it may not make them: of that there are only events.
progress_refused() {
    local name refused
    refused=$(events_of_type FailedCreate | cut -f2)
    [[ -n $refused ]] || return 0
    while read -r name; do
        if grep -qE " $name(-|\$)" <<<"$refused"; then
            echo "workload $name: FailedCreate"
            return
        fi
    done < <(awk '$1 == "workload" && $4 > $6 { print $2 }' "$WORK/progress")
}

progress_hopeless() { [[ -n $FAULT && $((SECONDS - FAULT_SINCE)) -ge $FAULT_STANDS_S ]]; }

# events_of_type REASON: "time<TAB>KIND NAME<TAB>message" of this run's warnings of that kind.
events_of_type() {
    kube get events --field-selector "reason=$1" --output \
        'go-template={{range .items}}{{or .lastTimestamp .eventTime}}{{"\t"}}{{.involvedObject.kind}} {{.involvedObject.name}}{{"\t"}}{{.message}}{{"\n"}}{{end}}' \
        2>/dev/null | awk -F'\t' -v start="$PROGRESS_START" '$1 >= start'
}
