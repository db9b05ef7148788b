# shellcheck shell=bash
# Which cluster kubectl's context names, and which Docker engine holds the images of its pods. Sourced,
# after scripts/lib.sh.

# kube_context: the name of kubectl's current context; status 1 without one, and without kubectl.
kube_context() { has_command kubectl && kubectl config current-context 2>/dev/null; }

# kube_context_kind CONTEXT: minikube, kind, k3d or other. Read from the kubeconfig alone, so that it
# answers for a cluster that is down.
kube_context_kind() {
    case $1 in
    minikube) echo minikube ;;
    kind-*) echo kind ;;
    k3d-*) echo k3d ;;
    *) if kube_is_minikube "$1"; then echo minikube; else echo other; fi ;;
    esac
}

# A minikube profile's context bears the profile's name; minikube notes itself in an extension.
kube_is_minikube() {
    [[ -n $1 ]] && has_command kubectl &&
        kubectl config view -o jsonpath="{.contexts[?(@.name=='$1')].context.extensions[*].extension.provider}" \
            2>/dev/null | grep -qw minikube.sigs.k8s.io
}

# use_context_engine CONTEXT: from here on, docker talks to the engine that images for CONTEXT (or
# none: '') are built in: minikube's node's own, else the local one. Sets
#   ENGINE_NAME    what to call it in a message
#   ENGINE_LOADER  kind or k3d, where the nodes get an image only by being handed it (engine_load)
use_context_engine() {
    local kind
    kind=$(kube_context_kind "$1")
    ENGINE_NAME="the local Docker engine" ENGINE_LOADER=
    case $kind in
    minikube) use_minikube_engine "$1" ;;
    kind | k3d) ENGINE_LOADER=$kind ;;
    esac
}

# Without an answer the local engine it is: with minikube's driver "none", and in clusters that only
# look like minikube, the pods run there. With containerd as the node's runtime docker-env names an
# address by ssh, behind which there is no Docker engine.
use_minikube_engine() {
    local settings
    has_command minikube || return 0
    if settings=$(timeout 60 minikube --profile "$1" docker-env --shell bash 2>/dev/null) &&
        [[ $settings != *'DOCKER_HOST="ssh:'* ]]; then
        eval "$(grep -E '^export (DOCKER|MINIKUBE)_[A-Z_]+="[^"$`\\]*"$' <<<"$settings")"
        # shellcheck disable=SC2034  # for the caller
        ENGINE_NAME="the Docker engine of minikube's node"
    else
        warn "'minikube --profile $1 docker-env' names no Docker engine of the node: taking the local one"
    fi
}

# engine_load CONTEXT IMAGE...: hands images of the local engine to the nodes of a kind or k3d cluster.
engine_load() {
    local context=$1
    shift
    case $ENGINE_LOADER in
    kind) kind load docker-image --name "${context#kind-}" "$@" ;;
    k3d) k3d image import --cluster "${context#k3d-}" "$@" ;;
    esac
}
