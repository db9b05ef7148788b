# shellcheck shell=bash
# Installs or upgrades, and waits; what fails is explained and rolled back. Sourced by scripts/deploy.sh.

# How the namespace remembers that this script has made it, so that --purge removes it again.
readonly MADE_BY=bellbuoy.io/made-by=scripts/deploy.sh

install() {
    ensure_namespace "$NAMESPACE" restricted
    if [[ -n $NODES_NAMESPACE ]]; then
        ensure_namespace "$NODES_NAMESPACE" privileged
        mark_nodes_namespace
    fi
    if [[ -n $HELM ]]; then install_with_helm; else install_with_kubectl; fi
    write_context
    printf '\n  %sBellbuoy is ready%s after %s s\n' "$GREEN" "$RESET" "$(seconds_since "$STARTED_MS")"
}

# ensure_namespace NAME LEVEL: with the Pod Security level that it enforces when it is made here.
ensure_namespace() {
    local name=$1
    kube get namespace "$name" >/dev/null 2>&1 && return
    note "making the namespace $name"
    kube create --filename - >/dev/null <<YAML || die "the namespace '$name' cannot be made (see above)"
apiVersion: v1
kind: Namespace
metadata:
  name: $name
  labels: {pod-security.kubernetes.io/enforce: $2, pod-security.kubernetes.io/warn: $2}
  annotations: {${MADE_BY/=/: }}
YAML
}

# ---------------------------------------------------------------- helm

helm_secrets() {
    kube get secrets --selector "owner=helm,name=$RELEASE" --sort-by=.metadata.creationTimestamp \
        --output 'jsonpath={range .items[*]}{.metadata.labels.version} {.metadata.labels.status}{"\n"}{end}' \
        2>/dev/null
}

# The last revision's status: deployed, failed, pending-upgrade and so on; nothing without a release.
release_status() { helm_secrets | sort -n | tail -n 1 | cut -d' ' -f2; }

# The revision that works now, to go back to; nothing before the first.
release_deployed() { helm_secrets | sort -n | sed -n 's/ deployed$//p' | tail -n 1; }

# The same after something was broken off, when none may be called deployed any more.
release_good() {
    local revision
    revision=$(release_deployed)
    echo "${revision:-$(helm_secrets | sort -n | sed -n 's/ superseded$//p' | tail -n 1)}"
}

# An image that was built anew under its old tag is told by its id, which the chart writes into the pods.
image_ids() {
    local service image id
    for service in broker receiver broadcaster manager; do
        image=$(needs image | grep -E "(^|/)$service(:|@|\$)" | head -n 1)
        id=$(docker image inspect --format '{{.Id}}' "${image:-none}" 2>/dev/null) || continue
        printf '%s\n' --set "$service.image.id=$id"
    done
}

# helm_start ARGUMENT...: in the background, as HELM_PID; its output goes to $WORK/helm. No function stands
# between: a signal for helm must reach it, so that it marks the release as failed.
helm_start() {
    helm --kube-context "$CONTEXT" --namespace "$NAMESPACE" "$@" --wait --timeout "${TIMEOUT_S}s" \
        >"$WORK/helm" 2>&1 &
    HELM_PID=$!
}

install_with_helm() {
    local before status=0
    local -a ids
    mapfile -t ids < <(image_ids)
    before=$(release_deployed)
    if [[ -n $before ]]; then
        note "upgrading Bellbuoy in the namespace $NAMESPACE"
    else
        note "installing Bellbuoy in the namespace $NAMESPACE"
    fi
    helm_start upgrade --install "$RELEASE" "$CHART" "${ids[@]}" --values "$WORK/manager.yaml" "${VALUES[@]}" --history-max 10
    progress_until_end "$HELM_PID" || status=$?
    [[ $status -ne 0 ]] || return 0
    fail "Bellbuoy did not become ready$(
        [[ -n $FAULT ]] && echo ": $FAULT" || echo " within $TIMEOUT_S s or was refused")"
    sed -n 's/^Error: */       helm: /p' "$WORK/helm" >&2
    explain
    roll_back "$before"
    exit 1
}

# roll_back REVISION: to the one that worked. Helm's own --atomic (since helm 4 --rollback-on-failure)
# would take the pods away before anyone could look at their logs.
roll_back() {
    if [[ -z $1 ]]; then
        note "it stays as it is, to be looked at: kubectl --context $CONTEXT --namespace $NAMESPACE get pods"
        note "try again: $(self)    remove it: $(self --uninstall)"
        return
    fi
    note "rolling back to revision $1, which worked"
    FAULT=
    helm_start rollback "$RELEASE" "$1"
    if progress_until_end "$HELM_PID" patiently; then
        note "rolled back: Bellbuoy runs as before"
    else
        fail "the rollback failed too: $(tail -n 1 "$WORK/helm")"
        explain
    fi
}

# ---------------------------------------------------------------- without helm

install_with_kubectl() {
    note "making certificates and token as Secrets"
    "$ROOT/scripts/gen-certs.sh" --context "$CONTEXT" --namespace "$NAMESPACE" --apply ||
        die "scripts/gen-certs.sh failed (see above)"
    note "applying kubernetes/ in the namespace $NAMESPACE"
    kube apply --kustomize "$(kustomization)" >"$WORK/apply" 2>&1 || {
        cat "$WORK/apply" >&2
        die "kubectl apply failed"
    }
    progress_until_settled || {
        fail "Bellbuoy did not become ready${FAULT:+: $FAULT}"
        explain
        exit 1
    }
}

# The folder for kubectl: kubernetes/ itself, or a layer above it for another namespace.
kustomization() {
    if [[ $NAMESPACE == bellbuoy ]]; then
        echo "$ROOT/kubernetes"
        return
    fi
    mkdir -p "$WORK/layer"
    cat >"$WORK/layer/kustomization.yaml" <<YAML
namespace: $NAMESPACE
resources: [$(realpath --relative-to "$(realpath "$WORK/layer")" "$ROOT/kubernetes")]
YAML
    echo "$WORK/layer"
}
