# shellcheck shell=bash
# The managers: whether the nodes get one and what it needs of them, and at the end the containers that they
# have made. Sourced by scripts/deploy.sh.

readonly DOCKER_SOCKET=/var/run/docker.sock
readonly REMOVER=$RELEASE-remove
# One that was just replaced is given this time to be ready.
readonly READY_S=20
readonly MANAGERS_OF=bellbuoy.io/managers-of

# The namespace of the managers as the objects have it, or nothing without managers.
NODES_NAMESPACE=

# node_run COMMAND...: on minikube's node; where a cluster only looks like minikube, that is this machine.
node_run() {
    if has_command minikube; then
        timeout 60 minikube --profile "$CONTEXT" ssh -- "$@" </dev/null 2>/dev/null | tr -d '\r'
    else
        "$@" 2>/dev/null
    fi
}

# choose_manager: before the values of the user, who may say otherwise: $WORK/manager.yaml has a manager where
# it is known how it gets at the nodes' Docker.
choose_manager() {
    local gid reason
    : >"$WORK/manager.yaml"
    reason=$(why_no_manager)
    if [[ -z $reason ]]; then
        gid=$(node_run stat -c %g "$DOCKER_SOCKET") || gid=
        [[ $gid =~ ^[0-9]+$ ]] || reason="$DOCKER_SOCKET is not on the node"
    fi
    if [[ -n $reason ]]; then
        note "no manager on the nodes: $reason"
    else
        echo "manager: {enabled: true, docker: {gid: $gid}}" >"$WORK/manager.yaml"
    fi
}

why_no_manager() {
    local runtimes other
    runtimes=$(kube get nodes --output 'jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}')
    other=$(kubectl --context "$CONTEXT" --request-timeout 20s get daemonset --all-namespaces \
        --selector app.kubernetes.io/part-of=bellbuoy,app.kubernetes.io/component=manager \
        --output 'jsonpath={.items[*].metadata.namespace}' 2>/dev/null)
    if [[ -z $HELM ]]; then
        echo "kubernetes/manager is applied by hand, with the group of the nodes' Docker socket"
    elif [[ " $runtimes" != *" docker://"* ]]; then
        echo "they do not run Docker (${runtimes%% *})"
    elif [[ $CONTEXT_KIND != minikube ]]; then
        echo "say which group has their Docker socket, which 'stat -c %g $DOCKER_SOCKET' tells there:" \
            "--set manager.enabled=true,manager.docker.gid=GROUP"
    elif [[ -n $other && " $other " != *" $NAMESPACE-nodes "* ]]; then
        echo "there are some already, in the namespace $other, and a node has one"
    fi
}

# check_manager: what the rendered managers need of their namespace, and whether they may be made there.
check_manager() {
    local level
    NODES_NAMESPACE=$(needs nodes | head -n 1)
    [[ -n $NODES_NAMESPACE ]] || return 0
    kubectl --context "$CONTEXT" auth can-i create daemonsets.apps --namespace "$NODES_NAMESPACE" >/dev/null 2>&1 ||
        flaw "you may not create DaemonSets in the managers' namespace '$NODES_NAMESPACE'" \
            "$(self --set manager.enabled=false)"
    level=$(kube get namespace "$NODES_NAMESPACE" --ignore-not-found \
        --output 'jsonpath={.metadata.labels.pod-security\.kubernetes\.io/enforce}')
    [[ -z $level || $level == privileged ]] ||
        flaw "the managers' namespace '$NODES_NAMESPACE' enforces Pod Security '$level', which has no folder of the node" \
            "kubectl --context $CONTEXT label namespace $NODES_NAMESPACE --overwrite pod-security.kubernetes.io/enforce=privileged"
    check_logins
    CHECKED+=("managers")
}

# They may come later: the managers read them at each pull.
check_logins() {
    local secret
    secret=$(needs nodes-logins)
    [[ -z $secret ]] || kube get secret "$secret" --namespace "$NODES_NAMESPACE" >/dev/null 2>&1 ||
        warn "the managers' namespace '$NODES_NAMESPACE' has no Secret '$secret' with the registries' logins. After this:" \
            "kubectl --context $CONTEXT --namespace $NODES_NAMESPACE create secret docker-registry $secret" \
            "--docker-server REGISTRY --docker-username NAME --docker-password PASSWORD"
}

# What --purge must know when there are no managers any more.
mark_nodes_namespace() {
    {
        kube label namespace "$NODES_NAMESPACE" --overwrite "$MANAGERS_OF=$NAMESPACE"
        kube annotate namespace "$NODES_NAMESPACE" --overwrite "bellbuoy.io/manager-folder=$(needs nodes-folder)"
    } >/dev/null 2>"$WORK/mark" ||
        warn "the namespace '$NODES_NAMESPACE' could not be marked for --purge: $(tail -n 1 "$WORK/mark")"
}

# nodes_namespaces: "NAMESPACE FOLDER" of each that has, or had, managers of this release.
nodes_namespaces() {
    kube get namespace --selector "$MANAGERS_OF=$NAMESPACE" --output \
        'go-template={{range .items}}{{.metadata.name}} {{index .metadata.annotations "bellbuoy.io/manager-folder"}}{{"\n"}}{{end}}' \
        2>/dev/null
}

# ---------------------------------------------------------------- what they have made

# installed_manager: "NAMESPACE IMAGE" of the release's managers; nothing without any.
installed_manager() {
    kubectl --context "$CONTEXT" --request-timeout 20s get daemonset --all-namespaces \
        --selector "$INSTANCE,app.kubernetes.io/component=manager" --output 'go-template={{range .items}}
        {{- if eq (index .metadata.annotations "meta.helm.sh/release-namespace") "'"$NAMESPACE"'"}}{{.metadata.namespace}} {{(index .spec.template.spec.containers 0).image}}{{end}}{{end}}' 2>/dev/null
}

# remove_managed NAMESPACE IMAGE: every project of every node is told to run nothing, as its operator would, and
# waited for.
remove_managed() {
    local node project ready left=
    note "removing the containers that the managers have made"
    ready=$(kubectl --context "$CONTEXT" --namespace "$1" wait pod --for condition=Ready --timeout "${READY_S}s" \
        --selector "$INSTANCE,app.kubernetes.io/component=manager" 2>/dev/null) || true
    if [[ -z $ready ]]; then
        warn "no manager is ready to do it"
        left=yes
    elif ! start_remover "$2"; then
        warn "the broker cannot be reached to say so: $(tail -n 1 "$WORK/remover")"
        left=yes
    fi
    while [[ -z $left ]] && read -r node project; do
        printf 'name: %s\nservices: {}\n' "$project" |
            remover apply --node "$node" --allow-empty --timeout 60s --file - >"$WORK/emptied" 2>&1 ||
            { warn "$node, $project: $(grep -v '^command terminated' "$WORK/emptied" | tail -n 1)" && left=yes; }
    done < <(managed_projects)
    kube delete pod "$REMOVER" --ignore-not-found --grace-period 1 >/dev/null 2>&1 || true
    [[ -z $left ]] ||
        warn "containers may be left on the nodes. There: docker rm -f \$(docker ps -aq --filter label=io.bellbuoy.node)"
}

remover() { kube exec --stdin "$REMOVER" --request-timeout 90s -- /usr/bin/buoyctl "$@"; }

# "NODE PROJECT" of what buoyctl shows in its first table; a node's name stands in its first row alone.
managed_projects() {
    remover status </dev/null 2>/dev/null | awk '
        NR == 1 { column = index($0, "PROJECT"); next }
        NF == 0 { exit }
        {
            if (substr($0, 1, 1) != " ") node = $1
            split(substr($0, column), words, " ")
            if (words[1] != "-") print node, words[1]
        }'
}

# A pod with buoyctl and the operator's certificate. There is no shell in its image: what it runs meanwhile is
# a look at the nodes.
start_remover() {
    kube delete pod "$REMOVER" --ignore-not-found --grace-period 1 >/dev/null 2>&1
    kube create --filename - >/dev/null 2>"$WORK/remover" <<YAML || return 1
apiVersion: v1
kind: Pod
metadata:
  name: $REMOVER
  labels: {app.kubernetes.io/part-of: bellbuoy, bellbuoy.io/broker-client: "true"}
spec:
  restartPolicy: OnFailure
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: buoyctl
      image: $1
      imagePullPolicy: IfNotPresent
      command: [/usr/bin/buoyctl, status, --watch]
      env:
        - {name: BELLBUOY_BROKER_URL, value: "mqtts://$RELEASE-broker:8883"}
        - {name: BELLBUOY_CA_FILE, value: /etc/bellbuoy/tls/ca.crt}
        - {name: BELLBUOY_CERT_FILE, value: /etc/bellbuoy/tls/tls.crt}
        - {name: BELLBUOY_KEY_FILE, value: /etc/bellbuoy/tls/tls.key}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}
      volumeMounts: [{name: tls, mountPath: /etc/bellbuoy/tls, readOnly: true}]
  volumes: [{name: tls, secret: {secretName: $RELEASE-operator-tls, defaultMode: 0440}}]
YAML
    kube wait pod "$REMOVER" --for condition=Ready --timeout 60s --request-timeout 0 >/dev/null 2>"$WORK/remover" &&
        remover status >/dev/null 2>"$WORK/remover" </dev/null
}

# remove_states FOLDER: on the nodes, what their managers were told.
remove_states() {
    # shellcheck disable=SC2046  # two words, or none
    if [[ $CONTEXT_KIND == minikube ]] && node_run $(node_sudo) rm -rf -- "$1"; then
        note "removed the managers' folder $1 from the node"
    else
        warn "the managers' folder is left on each node. There: sudo rm -r $1"
    fi
}

node_sudo() { if has_command minikube || [[ $EUID -ne 0 ]]; then echo sudo -n; fi; }
