# shellcheck shell=bash
# What the rendered objects need of the cluster: images, Secrets, storage, quota. Part of the preflight
# of scripts/deploy.sh.

# render: the objects as they will be, in $WORK/objects.yaml, and what they need, one word first on
# each line, in $WORK/needs. A value that the chart refuses shows here.
render() {
    if [[ -n $HELM ]]; then
        if ! helm_run template "$RELEASE" "$CHART" --no-hooks --kube-version "$SERVER_VERSION" \
            --values "$WORK/manager.yaml" "${VALUES[@]}" \
            >"$WORK/objects.yaml" 2>"$WORK/render"; then
            flaw "the chart refuses the values:
$(sed -e '/^$/d' -e '/^Use --debug/d' -e 's/^/       /' "$WORK/render")" "correct them; the keys and their defaults: helm show values $CHART"
            return 1
        fi
    elif ! kubectl kustomize "$(kustomization)" >"$WORK/objects.yaml" 2>"$WORK/render"; then
        flaw "kubernetes/ cannot be rendered: $(tail -n 1 "$WORK/render")" "scripts/render-manifests.sh"
        return 1
    fi
    # Without --namespace: the objects name theirs, and the manager's is another.
    if ! kubectl --context "$CONTEXT" --request-timeout 20s create --dry-run=client --filename "$WORK/objects.yaml" \
        --output "go-template-file=$ROOT/scripts/deploy/needs.tmpl" >"$WORK/needs" 2>"$WORK/render"; then
        flaw "the cluster does not know these objects: $(tail -n 1 "$WORK/render")" \
            "leave them out by --set, or install what defines them"
        return 1
    fi
}

# needs WORD: the rest of its lines, each once.
needs() { sed -n "s/^$1 //p" "$WORK/needs" | sort -u; }

# ---------------------------------------------------------------- images

# Images that a registry serves are pulled; ours without a registry must be on the node.
check_runtime_and_images() {
    local image runtime
    local -a missing=() ours=()
    runtime=$(kube get nodes --output 'jsonpath={.items[0].status.nodeInfo.containerRuntimeVersion}')
    CHECKED+=("runtime ${runtime/:\/\// }")
    use_context_engine "$CONTEXT"
    while read -r image; do
        image_is_local "$image" || continue
        ours+=("$image")
        node_has_image "$image" "$runtime" || missing+=("$image")
    done < <(needs image)
    if [[ ${#missing[@]} -gt 0 ]]; then
        image_flaw "$runtime" "${missing[@]}"
    else
        runtime_warning "$runtime"
        CHECKED+=("images")
    fi
}

# A name's first part with a dot or a port is a registry's.
image_is_local() { [[ $1 != */* || ! ${1%%/*} =~ [.:] && ${1%%/*} != localhost ]]; }

node_has_image() {
    if [[ $2 == docker://* && ($CONTEXT_KIND == minikube) ]]; then
        docker image inspect "$1" >/dev/null 2>&1
    elif [[ $CONTEXT_KIND == kind ]] && has_command docker; then
        docker exec "${CONTEXT#kind-}-control-plane" crictl inspecti "$1" >/dev/null 2>&1
    else
        node_reports_image "$1"
    fi
}

# A node reports 50 images at most: beyond that, one that is not named may still be there.
node_reports_image() {
    local reported
    reported=$(kube get nodes --output \
        'go-template={{range .items}}{{range .status.images}}{{range .names}}{{.}}{{"\n"}}{{end}}-{{"\n"}}{{end}}{{end}}')
    grep -qE "^(docker\.io/)?$1\$" <<<"$reported" ||
        [[ $(grep -cx -- - <<<"$reported") -ge 50 ]]
}

image_flaw() {
    local runtime=$1
    shift
    if [[ $CONTEXT_KIND == minikube && $runtime != docker://* ]]; then
        flaw "minikube runs ${runtime%%:*}, not Docker: the images that scripts/build-images.sh builds are not
       there ($*), and there is no Docker socket for the manager" \
            "minikube delete$(minikube_profile) && $MINIKUBE_START$(minikube_profile)"
    elif [[ $CONTEXT_KIND == other ]]; then
        flaw "the nodes have no image $*, and no registry is set" \
            "scripts/build-images.sh --push REGISTRY && $(self --set image.registry=REGISTRY)"
    elif [[ " $* " != *":$(chart_version) "* ]]; then
        flaw "the node has no image $* (scripts/build-images.sh makes tag $(chart_version))" \
            "$(self)    (without image.tag)"
    else
        flaw "the node has no image $*" "scripts/build-images.sh"
    fi
}

runtime_warning() {
    if [[ $CONTEXT_KIND == minikube && $1 != docker://* ]]; then
        warn "minikube runs ${1%%:*}: there is no Docker socket for the manager. One that has it:" \
            "minikube delete$(minikube_profile) && $MINIKUBE_START$(minikube_profile)"
    fi
}

chart_version() { sed -n 's/^appVersion: *"\{0,1\}\([^"]*\)"\{0,1\}/\1/p' "$CHART/Chart.yaml"; }

# ---------------------------------------------------------------- Secrets

# Those that pods mount must be there, made by the chart or before it; certificates must be valid.
check_secrets() {
    check_secrets_of "$NAMESPACE" mounts
    [[ -z $NODES_NAMESPACE ]] || check_secrets_of "$NODES_NAMESPACE" nodes-mounts
}

# certificates_command OPTION...: gen-certs.sh for all that mount its Secrets.
certificates_command() {
    echo "scripts/gen-certs.sh --context $CONTEXT --namespace $RELEASE_NAMESPACE" \
        "${NODES_NAMESPACE:+--nodes-namespace $NODES_NAMESPACE }$*"
}

# check_secrets_of NAMESPACE WORD: those that needs WORD names.
check_secrets_of() {
    local where=$1 secret there
    local -a missing=()
    there=$(kube get secrets --namespace "$where" --output 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}' 2>/dev/null)
    while read -r secret; do
        if grep -qxF -- "$secret" <<<"$there"; then
            check_certificate "$where" "$secret"
        elif ! needs makes | grep -qxF -- "$secret"; then
            missing+=("$secret")
        fi
    done < <(needs "$2")
    # The way without helm makes them itself.
    if [[ ${#missing[@]} -gt 0 && -n $HELM ]]; then
        flaw "the namespace '$where' has no Secret ${missing[*]}" \
            "$(certificates_command --apply)"
    fi
}

# check_certificate NAMESPACE SECRET
check_certificate() {
    local certificate
    has_command openssl || return 0
    certificate=$(kube get secret "$2" --namespace "$1" --output 'go-template={{with .data}}{{with index . "tls.crt"}}{{.}}{{end}}{{end}}' |
        base64 -d)
    [[ -n $certificate ]] || return 0
    openssl x509 -noout -checkend 0 <<<"$certificate" >/dev/null 2>&1 ||
        flaw "the certificate in the Secret '$2' has expired ($(openssl x509 -noout -enddate <<<"$certificate" 2>&1))" \
            "$(NAMESPACE=$1 certificate_command "$2")"
}

# certificate_command SECRET...: what makes them anew. The chart and cert-manager do so with those of their
# own that are missing, the script with those that it has made.
certificate_command() {
    if needs makes | grep -qxF -- "$1"; then
        echo "$(in_namespace) delete secret $* && $(self)"
    else
        certificates_command --renew all --apply
    fi
}

# ---------------------------------------------------------------- storage and quota

# A claim that names no class needs a default one, unless it is bound already.
check_storage() {
    local classes default
    needs claim | grep -q ' -$' || return 0
    [[ -z $(kube get pvc --selector "$INSTANCE" --output name 2>/dev/null) ]] || return 0
    # shellcheck disable=SC2016  # the template's variables, not the shell's
    classes=$(kube get storageclass --output 'go-template={{range .items}}{{.metadata.name}}
        {{- range $key, $value := .metadata.annotations}}
        {{- if eq $key "storageclass.kubernetes.io/is-default-class"}} {{$value}}{{end}}{{end}}{{"\n"}}{{end}}')
    default=$(sed -n 's/ true$//p' <<<"$classes" | head -n 1)
    if [[ -n $default ]]; then
        CHECKED+=("StorageClass $default")
    elif [[ -n $classes ]]; then
        flaw "no StorageClass is the default: the volumes would wait for ever" \
            "kubectl --context $CONTEXT annotate storageclass $(head -n 1 <<<"$classes" | cut -d' ' -f1) storageclass.kubernetes.io/is-default-class=true --overwrite"
    elif [[ $CONTEXT_KIND == minikube ]]; then
        flaw "the cluster has no StorageClass: the volumes would wait for ever" \
            "minikube$(minikube_profile) addons enable default-storageclass && minikube$(minikube_profile) addons enable storage-provisioner"
    else
        flaw "the cluster has no StorageClass: the volumes would wait for ever" \
            "kubectl --context $CONTEXT apply -f FILE    (of the storage driver that your cluster can use)"
    fi
}

# Only before there are pods of ours: those count as used already.
check_quota() {
    local name resource need
    [[ -z $(kube get pods --selector "$INSTANCE" --output name 2>/dev/null) ]] || return 0
    while IFS=$'\t' read -r name resource need; do
        flaw "the ResourceQuota '$name' of '$NAMESPACE' leaves too little $resource" \
            "kubectl --context $CONTEXT --namespace $NAMESPACE patch resourcequota $name --patch '{\"spec\":{\"hard\":{\"$resource\":\"$need\"}}}'"
    done < <(quota_lacks)
}

# "quota<TAB>resource<TAB>what it must be" for each that is too small.
quota_lacks() {
    # shellcheck disable=SC2016  # the template's and awk's variables, not the shell's
    kube get resourcequota --output 'go-template={{range .items}}{{$name := .metadata.name}}
        {{- $used := .status.used}}{{range $resource, $hard := .status.hard}}quota {{$name}} {{$resource -}}
        {{- " "}}{{$hard}} {{index $used $resource}}{{"\n"}}{{end}}{{end}}' 2>/dev/null |
        cat "$WORK/needs" - | awk -v OFS='\t' '
            BEGIN {
                split("m 0.001 k 1e3 M 1e6 G 1e9 T 1e12 Ki 1024 Mi 1048576 Gi 1073741824 Ti 1099511627776", part, " ")
                for (i = 1; i in part; i += 2) scale[part[i]] = part[i + 1]
            }
            function plain(quantity, unit) {
                unit = quantity
                sub(/^[0-9.]+/, "", unit)
                return unit in scale ? quantity * scale[unit] : quantity + 0
            }
            $1 == "pods" { need["pods"] += $2 }
            $1 == "container" {
                need["requests.cpu"] += $2 * plain($3)
                need["requests.memory"] += $2 * plain($4)
                need["limits.cpu"] += $2 * plain($5)
                need["limits.memory"] += $2 * plain($6)
            }
            $1 == "claim" { need["persistentvolumeclaims"]++; need["requests.storage"] += plain($2) }
            $1 == "quota" {
                resource = $3
                if (resource == "cpu" || resource == "memory") resource = "requests." resource
                sub(/^count\//, "", resource)
                wanted = plain($5) + need[resource]
                if (need[resource] && wanted > plain($4) + 1e-9)
                    print $2, $3, resource ~ /cpu/ ? int(wanted * 1000 + 0.5) "m" : sprintf("%.0f", wanted)
            }'
}
