# shellcheck shell=bash
# What must hold before anything is changed. All that does not is printed, each with the one command
# that mends it. Sourced by scripts/deploy.sh.

readonly KUBERNETES_MIN_MINOR=29
readonly HELM_MIN=3.12
readonly MINIKUBE_START="minikube start --driver=docker --container-runtime=docker"

FLAWS=0
CHECKED=()

# flaw WHAT COMMAND: one more thing that must be mended first.
flaw() {
    FLAWS=$((FLAWS + 1))
    fail "$1"
    printf '       %smend it:%s %s\n' "$BOLD" "$RESET" "$2" >&2
}

# Ends the script with status 3 when anything is amiss.
preflight_report() {
    if [[ $FLAWS -gt 0 ]]; then
        fail "$FLAWS thing$([[ $FLAWS -eq 1 ]] || echo s) to mend first; nothing was changed"
        exit 3
    fi
    note "checked: $(printf '%s, ' "${CHECKED[@]}" | sed 's/, $//')"
}

# The tools, and a cluster that answers. Without these nothing else can be asked.
preflight_cluster() {
    local reachable=yes
    HELM=yes
    check_kubectl || reachable=
    check_helm
    if [[ -z $reachable ]] || ! check_context; then
        check_port
        preflight_report
    fi
}

preflight_install() {
    check_port
    check_nodes
    check_permission
    check_namespace
    check_release
    choose_manager
    if render; then
        check_manager
        check_runtime_and_images
        check_secrets
        check_storage
        check_quota
    fi
}

# ---------------------------------------------------------------- tools

# version_of TEXT: the first "v1.32" or "3.21" in it.
version_of() { grep -oE '[0-9]+\.[0-9]+' <<<"$1" | head -n 1; }

# version_below A B
version_below() { [[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

kubectl_install_command() {
    local machine
    machine=$(uname -m | sed -e s/x86_64/amd64/ -e s/aarch64/arm64/)
    echo "curl -fLO https://dl.k8s.io/release/v1.34.0/bin/linux/$machine/kubectl &&" \
        "sudo install kubectl /usr/local/bin/"
}

check_kubectl() {
    local version
    if ! has_command kubectl; then
        flaw "kubectl is not installed (not on the PATH)" "$(kubectl_install_command)"
        return 1
    fi
    version=$(version_of "$(kubectl version --client 2>/dev/null)")
    if [[ -z $version ]]; then
        flaw "kubectl ($(command -v kubectl)) does not run: $(last_line kubectl version --client)" \
            "$(kubectl_install_command)"
        return 1
    fi
    if version_below "$version" "1.$KUBERNETES_MIN_MINOR"; then
        flaw "kubectl $version ($(command -v kubectl)) is too old: 1.$KUBERNETES_MIN_MINOR or newer is needed" \
            "$(kubectl_install_command)"
        return 1
    fi
    CHECKED+=("kubectl $version")
}

# Without helm there is another way, for those who change no values.
check_helm() {
    local version
    if ! has_command helm; then
        HELM=
        if [[ ${#VALUES[@]} -gt 0 ]]; then
            flaw "helm is not installed, and --values and --set need it" "$(helm_install_command)"
        else
            warn "helm is not installed: kubectl applies the manifests in kubernetes/ instead." \
                "There is no rollback then. With helm: $(helm_install_command)"
        fi
        return
    fi
    version=$(version_of "$(helm version --short 2>/dev/null)")
    if [[ -z $version ]] || version_below "$version" "$HELM_MIN"; then
        flaw "helm ${version:-that runs} ($(command -v helm)): $HELM_MIN or newer is needed" \
            "$(helm_install_command)"
        return
    fi
    CHECKED+=("helm $version")
}

helm_install_command() {
    echo "curl -fsSL https://raw.githubusercontent.com/helm/helm/main/scripts/get-helm-3 | bash"
}

# last_line COMMAND...: the last line that it writes, whichever way.
last_line() { timeout 30 "$@" 2>&1 | grep -v '^$' | tail -n 1 || true; }

# ---------------------------------------------------------------- the cluster

check_context() {
    local known
    if [[ -z $CONTEXT ]] && ! CONTEXT=$(kube_context); then
        flaw "kubectl has no current context: there is no cluster" "$(command_for_a_context)"
        return 1
    fi
    known=$(kubectl config get-contexts --output name)
    if ! grep -qxF -- "$CONTEXT" <<<"$known"; then
        flaw "kubectl knows no context '$CONTEXT' (it knows: $(paste -sd' ' <<<"${known:-none}"))" \
            "$(command_for_a_context)"
        return 1
    fi
    CONTEXT_KIND=$(kube_context_kind "$CONTEXT")
    check_server
}

command_for_a_context() {
    local first
    first=$(kubectl config get-contexts --output name 2>/dev/null | head -n 1)
    if [[ -n $CONTEXT && -n $first ]]; then
        echo "$0 --context $first"
    elif [[ -n $first ]]; then
        echo "kubectl config use-context $first"
    else
        echo "$MINIKUBE_START"
    fi
}

check_server() {
    local answer
    if ! answer=$(timeout 15 kubectl --context "$CONTEXT" --request-timeout 5s get --raw /version \
        2>"$WORK/server"); then
        flaw "the cluster of context '$CONTEXT' does not answer: $(server_address)
       $(tail -n 1 "$WORK/server")" "$(command_for_the_cluster)"
        return 1
    fi
    SERVER_VERSION=$(version_of "$(grep -o '"gitVersion"[^,]*' <<<"$answer")")
    if version_below "$SERVER_VERSION" "1.$KUBERNETES_MIN_MINOR"; then
        flaw "the cluster runs Kubernetes $SERVER_VERSION: 1.$KUBERNETES_MIN_MINOR or newer is needed" \
            "minikube delete && $MINIKUBE_START"
    fi
    CHECKED+=("context $CONTEXT (Kubernetes $SERVER_VERSION)")
}

server_address() {
    kubectl config view --minify --context "$CONTEXT" --output 'jsonpath={.clusters[0].cluster.server}'
}

command_for_the_cluster() {
    case $CONTEXT_KIND in
    minikube) echo "$MINIKUBE_START$(minikube_profile)" ;;
    kind) echo "docker start ${CONTEXT#kind-}-control-plane" ;;
    k3d) echo "k3d cluster start ${CONTEXT#k3d-}" ;;
    *) echo "kubectl --context $CONTEXT cluster-info    (and see that its server can be reached)" ;;
    esac
}

minikube_profile() { [[ $CONTEXT == minikube ]] || echo " --profile $CONTEXT"; }

check_nodes() {
    local ready
    ready=$(kube get nodes --output 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}')
    [[ $ready == *True* ]] ||
        flaw "no node of the cluster is ready: its own pods (kubectl get pods -A) say why" \
            "kubectl --context $CONTEXT wait --for=condition=Ready nodes --all --timeout=300s"
}

check_permission() {
    kube auth can-i create statefulsets.apps >/dev/null 2>&1 ||
        flaw "you may not create StatefulSets in the namespace '$NAMESPACE' of context '$CONTEXT'" \
            "kubectl --context $CONTEXT --namespace $NAMESPACE auth can-i --list    (ask for the role 'admin')"
}

check_namespace() {
    local phase
    phase=$(kube get namespace "$NAMESPACE" --ignore-not-found --output 'jsonpath={.status.phase}')
    if [[ $phase == Terminating ]]; then
        flaw "the namespace '$NAMESPACE' is being deleted" \
            "kubectl --context $CONTEXT wait --for=delete namespace/$NAMESPACE --timeout=120s"
    fi
}

# A helm that was killed leaves a release that no helm touches any more.
check_release() {
    local status
    if [[ -z $HELM ]]; then
        helm_secrets | grep -q . &&
            flaw "Bellbuoy was installed by helm there, which is not installed here" "$(helm_install_command)"
        return 0
    fi
    status=$(release_status)
    case $status in
    pending-install) flaw "an installation was broken off in its middle" "$(self --uninstall)" ;;
    pending-*)
        flaw "an upgrade was broken off in its middle, or is still under way ($status)" \
            "helm --kube-context $CONTEXT --namespace $NAMESPACE rollback $RELEASE $(release_good)"
        ;;
    esac
}

check_port() {
    local listener pid command
    [[ $ACTION == install && -n $FORWARD ]] || return 0
    if listener=$(port_listener "$PORT"); then
        read -r pid command <<<"$listener"
        flaw "the port $PORT is taken by $(if [[ $pid == - ]]; then echo "another user's process"; else
            echo "process $pid: $command"
        fi)" "$(self --port $((PORT < 65535 ? PORT + 1 : 5001)))"
    fi
}
