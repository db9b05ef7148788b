# shellcheck shell=bash
# What buoyctl needs to reach the broker as its operator: a certificate, and an entry in buoyctl's context
# file. Sourced by scripts/deploy.sh.

# The context file as it is written here, an entry a line; one of another form is its owner's.
readonly CONTEXT_HEAD='{"current": "%s", "contexts": {'
readonly BROKER_PORT=8883

context_name() { echo "$CONTEXT-$NAMESPACE"; }
context_file() { echo "${XDG_CONFIG_HOME:-$HOME/.config}/bellbuoy/context.json"; }
context_folder() { echo "${XDG_STATE_HOME:-$HOME/.local/state}/bellbuoy/operator/$(context_name)"; }

# write_context: only with managers, for buoyctl is about them.
write_context() {
    local folder file entry key
    [[ -n $NODES_NAMESPACE && -n ${HOME:-} ]] || return 0
    folder=$(context_folder) file=$(context_file)
    entry=$(printf '"%s": {"broker_url": "mqtts://localhost:%s", "ca_file": "%s", "cert_file": "%s", "key_file": "%s", "kube_service": "%s", "kube_context": "%s"}' \
        "$(context_name)" "$BROKER_PORT" "$folder/ca.crt" "$folder/tls.crt" "$folder/tls.key" \
        "$NAMESPACE/$RELEASE-broker" "$CONTEXT")
    (
        umask 077
        mkdir -p -- "$folder" "${file%/*}"
        for key in ca.crt tls.crt tls.key; do
            kube get secret "$RELEASE-operator-tls" --output "go-template={{index .data \"$key\" | base64decode}}" \
                >"$folder/$key.new" && mv -- "$folder/$key.new" "$folder/$key"
        done
    ) 2>"$WORK/context" || {
        warn "the operator's certificate for buoyctl could not be kept in $folder: $(tail -n 1 "$WORK/context")"
        return
    }
    if ! context_is_ours "$file"; then
        warn "$file has another form: it stays as it is. For buoyctl, add to its contexts: $entry"
        return
    fi
    context_rewrite "$file" "$entry"
}

# remove_context: the entry and its certificate.
remove_context() {
    [[ -n ${HOME:-} ]] || return 0
    rm -rf -- "$(context_folder)"
    if [[ -f $(context_file) ]] && context_is_ours "$(context_file)"; then context_rewrite "$(context_file)" ""; fi
}

context_is_ours() {
    [[ ! -s $1 ]] || ! grep -qvE '^(\{"current": "[^"]*", "contexts": \{|"[^"]+": \{.*\},?|\}\})$' "$1"
}

# context_rewrite FILE ENTRY: with ENTRY for this cluster and namespace, or without one; the others stay.
context_rewrite() {
    local entries current
    entries=$(
        { [[ ! -f $1 ]] || grep -E '^"' "$1"; } | sed 's/,$//' | grep -vF "\"$(context_name)\": {"
        if [[ -n $2 ]]; then echo "$2"; fi
    ) || true
    if [[ -z $entries ]]; then
        rm -f -- "$1"
        return
    fi
    current=$(tail -n 1 <<<"$entries" | sed -E 's/^"([^"]+)".*/\1/')
    {
        # shellcheck disable=SC2059  # a constant
        printf "$CONTEXT_HEAD\n" "$current"
        sed '$!s/$/,/' <<<"$entries"
        echo '}}'
    } >"$1.new"
    mv -- "$1.new" "$1"
}
