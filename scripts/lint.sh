#!/usr/bin/env bash
# Format and static analysis. Expects Debian 12's versions of the tools: others format differently.
#
# Usage: scripts/lint.sh [--list] [CHECK...]
#
# Without CHECK: all of them.
#   format       clang-format on all C
#   tidy         clang-tidy with .clang-tidy, on what the dev preset compiles
#   cppcheck     cppcheck
#   scripts      shellcheck on all of them
#   banned       functions that are not used here
#   length       no function of more than 100 lines
#   chart        the Helm chart: helm lint, kubeconform, kube-score, README and kubernetes/ in step;
#                skipped (status 77 when it is alone) where these tools are not
#
#   --list   names the checks
#   --help   this text
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/chart-tools.sh
source "$ROOT/scripts/chart-tools.sh"

readonly CHECKS=(format scripts banned length chart cppcheck tidy)
readonly SKIPPED=77
readonly FUNCTION_MAX_LINES=100
readonly BANNED='strcpy|strcat|sprintf|vsprintf|atoi|atol|atof|strtok|sscanf|gets|rand'

# ours FIND_EXPRESSION...: our own files, without what is built, fetched or hidden.
ours() {
    (cd "$ROOT" && find . \( -path ./build -o -name node_modules -o -path './.?*' -not -path './.ci*' \) \
        -prune -o \( "$@" \) -type f -printf '%P\n' | sort)
}
c_files() { ours -name '*.[ch]'; }

check_format() {
    (cd "$ROOT" && c_files | xargs clang-format --dry-run --Werror)
}

# Options of gcc that clang does not know are no finding.
check_tidy() {
    local log=$ROOT/build/reports/clang-tidy.txt status=0
    build_preset dev >/dev/null || die "the dev build failed: scripts/test.sh unit says more"
    mkdir -p "$ROOT/build/reports"
    run-clang-tidy -quiet -j 2 -p "$ROOT/build/dev" \
        -extra-arg=-Wno-unknown-warning-option "^$ROOT/(common|broadcaster|broker|manager|receiver|tests|bench)/" \
        >"$log" 2>&1 || status=$?
    grep -E -A 3 '(warning|error): ' "$log" || true
    return "$status"
}

# cppcheck understands neither the cleanup attribute (leaks: LeakSanitizer looks for them), nor values
# that come by a ret_ parameter (uninitialised ones: both compilers look), nor what bounds an index that
# a loop counts down (AddressSanitizer does).
check_cppcheck() {
    (cd "$ROOT" && c_files | grep '\.c$' | xargs cppcheck --quiet -j 2 --std=c11 --language=c \
        --enable=warning,performance,portability --error-exitcode=1 -I . \
        --suppress=memleak --suppress=resourceLeak --suppress=uninitvar \
        --suppress=arrayIndexOutOfBoundsCond --suppress=missingIncludeSystem)
}

check_scripts() {
    (cd "$ROOT" && ours -name '*.sh' -o -path ./.ci/run | xargs shellcheck -x)
}

check_banned() {
    local found=0
    (cd "$ROOT" && c_files | xargs grep -nE "\b($BANNED) ?\(") || found=$?
    [[ $found -ne 0 ]] || fail "banned functions: $BANNED"
    [[ $found -eq 1 || $found -eq 123 ]]
}

# A function begins with { and ends with } in the first column; tables end with }; and are no functions.
check_length() {
    # shellcheck disable=SC2016  # awk's fields, not the shell's
    (cd "$ROOT" && c_files | xargs awk -v max="$FUNCTION_MAX_LINES" '
        FNR == 1 { start = 0 }
        /^[A-Za-z_]/ { name = $0 }
        /^\{/ { start = FNR }
        /^\}$/ && start {
            if (FNR - start - 1 > max) {
                printf "%s:%d: %d lines: %s\n", FILENAME, start, FNR - start - 1, name
                long = 1
            }
            start = 0
        }
        END { exit long }')
}

# Objects of others' operators, whose schemas are not Kubernetes' own.
readonly FOREIGN_KINDS=Certificate,Issuer,ServiceMonitor,PodMonitor

check_chart() {
    local status=0 scratch
    find_chart_tools helm kubeconform kube-score helm-docs || return "$SKIPPED"
    fetch_kube_schemas || { warn "no schemas of Kubernetes can be had (see above)" && return "$SKIPPED"; }
    scratch=$(mktemp -d)
    render_all "$scratch" || status=1
    conform "$scratch" || status=1
    # What a user may choose (no NetworkPolicy, a node's port) is not held against the chart.
    score "$scratch/values.yaml" || status=1
    readme_in_step "$scratch" || status=1
    "$ROOT/scripts/render-manifests.sh" --check || status=1
    rm -rf "$scratch"
    return "$status"
}

# render_all FOLDER: with the values as they are, and with each of the chart's own other sets.
render_all() {
    local values status=0
    for values in "$ROOT"/helm/bellbuoy/values.yaml "$ROOT"/helm/bellbuoy/ci/*.yaml; do
        helm lint --strict --quiet --values "$values" "$ROOT/helm/bellbuoy" || status=1
        helm template bellbuoy "$ROOT/helm/bellbuoy" --namespace bellbuoy --values "$values" \
            --kube-version "${KUBE_VERSIONS[0]}" >"$1/$(basename "$values")" || status=1
    done
    return "$status"
}

conform() {
    local version status=0
    for version in "${KUBE_VERSIONS[@]}"; do
        kubeconform -strict -summary -skip "$FOREIGN_KINDS" -kubernetes-version "$version" -schema-location \
            "$KUBE_SCHEMAS/{{.NormalizedKubernetesVersion}}-local-strict/{{.ResourceKind}}{{.KindSuffix}}.json" \
            "$1" || { status=1 && fail "Kubernetes $version"; }
    done
    return "$status"
}

# score FILE...: kube-score, with these left out:
#   CPU limits                    they delay messages while the node idles; the requests share it out
#   container-image-pull-policy   Always would ask a registry that a laptop's cluster does not have
#   statefulset-has-servicename   it wants a headless Service, for names of single pods: nobody uses those, and
#                                 a stable address spares clients a look-up of the moved pod
#   deployment-has-host-podantiaffinity
#                                 broadcasters are spread by topologySpreadConstraints, which it does not know
score() {
    local report status=0
    report=$(kube-score score --kubernetes-version v1.29 --output-format ci --exit-one-on-warning \
        --ignore-container-cpu-limit --ignore-test container-image-pull-policy \
        --ignore-test statefulset-has-servicename --ignore-test deployment-has-host-podantiaffinity "$@") ||
        status=$?
    grep -E '^\[(CRITICAL|WARNING)\]' <<<"$report" || true
    return "$status"
}

readme_in_step() {
    cp -r "$ROOT/helm/bellbuoy" "$1/chart"
    helm-docs --chart-search-root "$1/chart" --log-level error
    if ! diff -u "$ROOT/helm/bellbuoy/README.md" "$1/chart/README.md"; then
        fail "the chart's README is not what its values say. Mend it: helm-docs --chart-search-root helm/bellbuoy"
        return 1
    fi
}

main() {
    local check outcome status=0 skipped=0
    case ${1:-} in
    --list) printf '%s\n' "${CHECKS[@]}" && return ;;
    --help) print_help && return ;;
    -*) usage_error "unknown option '$1'" ;;
    esac
    [[ $# -gt 0 ]] || set -- "${CHECKS[@]}"
    for check in "$@"; do
        [[ " ${CHECKS[*]} " == *" $check "* ]] || usage_error "'$check' is no check"
        note "$check"
        outcome=0
        "check_$check" || outcome=$?
        case $outcome in
        0) ;;
        "$SKIPPED") skipped=$((skipped + 1)) && warn "$check skipped" ;;
        *) status=1 && fail "$check" ;;
        esac
    done
    if [[ $skipped -eq $# ]]; then status=$SKIPPED; fi
    return "$status"
}

main "$@"
