# shellcheck shell=bash
# --uninstall and --purge. Sourced by scripts/deploy.sh.

remove() {
    local image where folder
    read -r where image < <(installed_manager) || true
    if [[ $ACTION == purge ]]; then
        ask "Remove Bellbuoy from the namespace '$NAMESPACE' of '$CONTEXT' with all its data, for good?"
    fi
    [[ -z $image ]] || remove_managed "$where" "$image"
    remove_workloads
    remove_context
    if [[ $ACTION == purge ]]; then
        while read -r where folder; do
            remove_states "$folder"
            remove_namespace "$where"
        done < <(nodes_namespaces)
        remove_data
    else
        print_kept
    fi
}

remove_workloads() {
    if [[ -n $(helm_secrets) ]]; then
        [[ -n $HELM ]] || die "Bellbuoy was installed by helm there, which is not installed here: $(helm_install_command)"
        note "uninstalling Bellbuoy from the namespace $NAMESPACE"
        helm_run uninstall "$RELEASE" --wait --timeout "${TIMEOUT_S}s" >"$WORK/helm" 2>&1 ||
            die "helm uninstall failed: $(tail -n 1 "$WORK/helm")"
    elif [[ -n $(kube get statefulset,deployment,daemonset --selector "$INSTANCE" --output name 2>/dev/null) ]]; then
        note "removing what kubernetes/ has made from the namespace $NAMESPACE"
        remove_manifests
    else
        note "Bellbuoy is not installed in the namespace $NAMESPACE"
    fi
    kube wait --for=delete pod --selector "$INSTANCE" --timeout "${TIMEOUT_S}s" >/dev/null 2>&1 || true
}

# Not the namespace, which may hold data and others' objects.
remove_manifests() {
    kubectl kustomize "$(kustomization)" >"$WORK/objects.yaml"
    kube get --filename "$WORK/objects.yaml" --ignore-not-found --output name 2>/dev/null |
        grep -v '^namespace/' | xargs -r kubectl --context "$CONTEXT" --namespace "$NAMESPACE" delete --ignore-not-found >/dev/null
}

print_kept() {
    local kept
    kept=$(kube get pvc --selector "$INSTANCE" --output 'jsonpath={.items[*].metadata.name}' 2>/dev/null)
    if [[ -n $kept ]]; then
        note "kept: the data ($kept) in the namespace $NAMESPACE; $(self --purge) removes it too"
    else
        note "removed; no data is left in the namespace $NAMESPACE"
    fi
}

# Secrets too: what was made outside of the chart bears our label as well.
remove_data() {
    note "removing the data"
    kube delete pvc,secret --selector "$INSTANCE" --timeout "${TIMEOUT_S}s" >/dev/null 2>&1 ||
        warn "not everything could be removed: $(in_namespace) get pvc,secret"
    remove_namespace "$NAMESPACE"
    note "removed, with all data"
}

# remove_namespace NAME: if this script has made it.
remove_namespace() {
    [[ $(kube get namespace "$1" --ignore-not-found --output \
        'jsonpath={.metadata.annotations.bellbuoy\.io/made-by}') == "${MADE_BY#*=}" ]] || return 0
    note "removing the namespace $1"
    kube delete namespace "$1" --timeout "${TIMEOUT_S}s" --request-timeout 0 >/dev/null 2>"$WORK/delete" ||
        die "the namespace '$1' could not be removed: $(tail -n 1 "$WORK/delete")"
}
