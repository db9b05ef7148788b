#!/usr/bin/env bash
# Renders kubernetes/ from the chart: one file an object, for those who install with kubectl alone.
#
# Usage: scripts/render-manifests.sh [--check]
#
#   --check   changes nothing, and fails when kubernetes/ is not what the chart gives
#   --help    this text
#
# The Secrets are not among them: scripts/gen-certs.sh --apply makes those. The manager's are in a folder of their
# own, kubernetes/manager, for its namespace and since it is not wanted everywhere.
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/chart-tools.sh
source "$ROOT/scripts/chart-tools.sh"

readonly FOLDER=$ROOT/kubernetes
readonly NAMESPACE=bellbuoy
readonly NODES_NAMESPACE=$NAMESPACE-nodes

SCRATCH=

# render: the chart's objects in one stream, without what only Helm needs.
render() {
    helm template bellbuoy "$ROOT/helm/bellbuoy" --namespace "$NAMESPACE" --kube-version "${KUBE_VERSIONS[0]}" \
        --skip-tests --set tls.mode=existing,token.mode=existing \
        --set manager.enabled=true,manager.docker.gid=999 |
        sed -e '/^ *helm.sh\/chart:/d' -e '/^ *app.kubernetes.io\/managed-by: Helm$/d' -e '/^ *$/d'
}

# split FOLDER: the objects of stdin, each in COMPONENT-KIND.yaml, and those names on stdout; those of the nodes'
# namespace in manager/.
split() {
    awk -v folder="$1" -v nodes="$NODES_NAMESPACE" '
        function flush(   file) {
            if (text == "") return
            file = (namespace == nodes ? "manager/" : "") component "-" tolower(kind) ".yaml"
            printf "# Rendered by scripts/render-manifests.sh from helm/bellbuoy: change it there.\n%s", text \
                > (folder "/" file)
            close(folder "/" file)
            print file
            text = ""
        }
        /^---$/ { flush(); component = kind = namespace = ""; next }
        /^# Source:/ { next }
        /^kind: / { kind = $2 }
        /^  namespace: / { namespace = $2 }
        # The first is the object'\''s own.
        /app.kubernetes.io\/component: / && component == "" { component = $2 }
        { text = text $0 "\n" }
        END { flush() }' | sort
}

# write_namespace FOLDER NAME LEVEL: with the Pod Security level that it enforces.
write_namespace() {
    cat >"$1/namespace.yaml" <<YAML
# Rendered by scripts/render-manifests.sh: change it there.
apiVersion: v1
kind: Namespace
metadata:
  name: $2
  labels:
    pod-security.kubernetes.io/enforce: $3
    pod-security.kubernetes.io/warn: $3
    pod-security.kubernetes.io/audit: $3
YAML
}

# write_kustomization FOLDER USE FILE...
write_kustomization() {
    local folder=$1 use=$2
    shift 2
    {
        echo "# Rendered by scripts/render-manifests.sh: change it there."
        echo "# $use"
        printf '%s\n' "apiVersion: kustomize.config.k8s.io/v1beta1" "kind: Kustomization" "resources:"
        printf '  - %s\n' "$@"
    } >"$folder/kustomization.yaml"
}

render_into() {
    local -a files nodes
    render >"$SCRATCH/all.yaml" || die "the chart does not render (see above)"
    mkdir "$1/manager"
    mapfile -t files < <(split "$1" <"$SCRATCH/all.yaml")
    [[ $(sort -u <(printf '%s\n' "${files[@]}") | wc -l) -eq ${#files[@]} ]] ||
        die "two objects of the chart would have the same file"
    mapfile -t nodes < <(printf '%s\n' "${files[@]}" | sed -n 's|^manager/||p')
    mapfile -t files < <(printf '%s\n' "${files[@]}" | grep -v '^manager/')
    write_namespace "$1" "$NAMESPACE" restricted
    write_kustomization "$1" "kubectl apply -k kubernetes/, after scripts/gen-certs.sh --apply" \
        namespace.yaml "${files[@]}"
    write_namespace "$1/manager" "$NODES_NAMESPACE" privileged
    write_kustomization "$1/manager" "kubectl apply -k kubernetes/manager, with supplementalGroups as the nodes have it:
# stat -c %g /var/run/docker.sock" namespace.yaml "${nodes[@]}"
}

main() {
    local check=
    while [[ $# -gt 0 ]]; do
        case $1 in
        --check) check=yes ;;
        --help) print_help && exit ;;
        *) usage_error "unknown option '$1'" ;;
        esac
        shift
    done
    find_chart_tools helm 2>/dev/null || die "helm is missing: see https://helm.sh/docs/intro/install"
    SCRATCH=$(mktemp -d)
    trap 'rm -rf -- "$SCRATCH"' EXIT
    mkdir "$SCRATCH/kubernetes"
    render_into "$SCRATCH/kubernetes"
    if [[ -n $check ]]; then
        diff -ruN "$FOLDER" "$SCRATCH/kubernetes" ||
            die "kubernetes/ is not what the chart gives. Mend it: scripts/render-manifests.sh"
        return
    fi
    rm -rf -- "$FOLDER"
    cp -r -- "$SCRATCH/kubernetes" "$FOLDER"
    note "rendered $(find "$FOLDER" -name '*.yaml' | wc -l) files into kubernetes/"
}

main "$@"
