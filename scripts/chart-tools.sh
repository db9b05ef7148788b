# shellcheck shell=bash
# The programs that render and check the chart. Sourced, after scripts/lib.sh.

# find_chart_tools TOOL...: adds what the development machine offers to PATH, then status 1 and a line that
# names what is still missing.
find_chart_tools() {
    local tool offered=$ROOT/../shared/cluster/cluster
    local -a missing=()
    for tool in "$@"; do
        if ! has_command "$tool" && [[ -x $offered ]]; then
            PATH=$PATH:$("$offered" env | sed -n 's/.* PATH=\([^:]*\):.*/\1/p')
            offered=
        fi
        has_command "$tool" || missing+=("$tool")
    done
    [[ ${#missing[@]} -eq 0 ]] || { warn "not on PATH: ${missing[*]}" && return 1; }
}

# The oldest and the newest Kubernetes that are supported.
readonly KUBE_VERSIONS=(1.29.0 1.36.0)
readonly KUBE_SCHEMAS=$ROOT/build/kube-schemas
readonly KUBE_SCHEMAS_PACKAGE=kubernetes-validate==1.36.0

# fetch_kube_schemas: the JSON schemas of KUBE_VERSIONS, as KUBE_SCHEMAS/vX.Y.0-local-strict: a package from PyPI
# carries them. Status 1 when it cannot be had. They refer to each other by the address that they give
# themselves, where kubeconform would fetch them: it becomes the file's own.
fetch_kube_schemas() {
    # shellcheck disable=SC2016  # names of JSON keys
    local scratch version own_address='"$id"' own_comment='"$comment"'
    if [[ $(cat "$KUBE_SCHEMAS/stamp" 2>/dev/null) == "$KUBE_SCHEMAS_PACKAGE ${KUBE_VERSIONS[*]}" ]]; then
        return
    fi
    scratch=$(mktemp -d)
    rm -rf "$KUBE_SCHEMAS"
    mkdir -p "$KUBE_SCHEMAS"
    if python3 -m venv "$scratch/venv" && "$scratch/venv/bin/pip" download --quiet \
        --disable-pip-version-check --no-deps --dest "$scratch" "$KUBE_SCHEMAS_PACKAGE" &&
        python3 -m zipfile -e "$scratch"/*.whl "$scratch"; then
        for version in "${KUBE_VERSIONS[@]}"; do
            cp -r "$scratch/kubernetes_validate/kubernetes-json-schema/v$version-local-strict" "$KUBE_SCHEMAS"
        done
        find "$KUBE_SCHEMAS" -name '*.json' -exec sed -i -e 's#"/api/_definitions.json#"_definitions.json#' \
            -e "s#^  $own_address:#  $own_comment:#" {} +
        echo "$KUBE_SCHEMAS_PACKAGE ${KUBE_VERSIONS[*]}" >"$KUBE_SCHEMAS/stamp"
    fi
    rm -rf "$scratch"
    [[ -f $KUBE_SCHEMAS/stamp ]]
}
