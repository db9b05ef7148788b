#!/usr/bin/env bash
# Certificates for the broker and its clients, and the token for sending messages: files in a folder and,
# with --apply, Secrets in a namespace, as the chart's tls.mode and token.mode `existing` expect them.
#
# Usage: scripts/gen-certs.sh [OPTIONS]
#
#   --dir FOLDER      where the files are
#                     (default ${XDG_STATE_HOME:-~/.local/state}/bellbuoy/certs/NAMESPACE)
#   --namespace NAME  the namespace that the broker is in (default bellbuoy)
#   --nodes-namespace NAME
#                     with --apply: the managers' namespace, made if it is missing, gets their Secret
#   --name NAME       what the objects' names begin with (default bellbuoy)
#   --dns NAME,...    more names or addresses by which the broker is reached
#   --days N          days that a certificate is good for (default 1095)
#   --ca-days N       days that the authority is good for (default 3650)
#   --renew SERVICE   a new certificate for broker, receiver, broadcaster, manager, operator, or for all
#   --new-ca          a new authority, and with it new certificates for all
#   --apply           puts them into Secrets of that namespace, which is made if it is missing
#   --context NAME    kubectl's context for that (default: the current one)
#   --help            this text
#
# What is there already is kept: a second run makes nothing anew but a certificate that has ended, or a
# broker's without one of its names. The authority's key, FOLDER/ca/tls.key, goes into no Secret: guard it.
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

readonly SERVICES=(broker receiver broadcaster manager operator)

DIR=
NAMESPACE=bellbuoy
NODES_NAMESPACE=
NAME=bellbuoy
DNS=()
DAYS=1095
CA_DAYS=3650
RENEW=
NEW_CA=
APPLY=
CONTEXT=
SCRATCH=

parse_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --dir | --namespace | --nodes-namespace | --name | --dns | --days | --ca-days | --renew | --context) take_value "$@" ;;&
        --dir) DIR=$VALUE && shift ;;
        --namespace) NAMESPACE=$VALUE && shift ;;
        --nodes-namespace) NODES_NAMESPACE=$VALUE && shift ;;
        --name) NAME=$VALUE && shift ;;
        --dns) IFS=, read -r -a DNS <<<"$VALUE" && shift ;;
        --days) DAYS=$VALUE && shift ;;
        --ca-days) CA_DAYS=$VALUE && shift ;;
        --renew) RENEW=$VALUE && shift ;;
        --new-ca) NEW_CA=yes ;;
        --apply) APPLY=yes ;;
        --context) CONTEXT=$VALUE && shift ;;
        --help) print_help && exit ;;
        *) usage_error "unknown option '$1'" ;;
        esac
        shift
    done
    check_options
}

check_options() {
    local name
    require_integer --days "$DAYS" 1 36500
    require_integer --ca-days "$CA_DAYS" 1 36500
    require_label --namespace "$NAMESPACE"
    [[ -z $NODES_NAMESPACE ]] || require_label --nodes-namespace "$NODES_NAMESPACE"
    require_label --name "$NAME"
    for name in "${DNS[@]}"; do
        [[ $name =~ ^[A-Za-z0-9.:*-]+$ ]] || usage_error "--dns: '$name' is neither a name nor an address"
    done
    [[ -z $RENEW || " ${SERVICES[*]} all " == *" $RENEW "* ]] ||
        usage_error "--renew must be one of ${SERVICES[*]}, or all, not '$RENEW'"
    [[ -n $DIR || -n ${XDG_STATE_HOME:-} || -n ${HOME:-} ]] ||
        usage_error "there is no HOME to keep the files in: say --dir"
    DIR=$(realpath -m -- "${DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/bellbuoy/certs/$NAMESPACE}")
}

require_label() {
    [[ $2 =~ ^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$ ]] ||
        usage_error "$1 must be small letters, digits and '-', 40 at most, not '$2'"
}

require_tools() {
    has_command openssl || die "openssl is missing. Install it: sudo apt-get install openssl"
    if [[ -n $APPLY ]]; then
        has_command kubectl ||
            die "kubectl is missing, which --apply needs: see https://kubernetes.io/docs/tasks/tools"
    fi
}

# ---------------------------------------------------------------- files

# Everything below is written for the owner alone, and moved into place when it is whole.
open_dir() {
    umask 077
    mkdir -p -- "$DIR" 2>/dev/null || die "the folder $DIR cannot be made"
    SCRATCH=$(mktemp -d -- "$DIR/.new.XXXXXX" 2>/dev/null) || die "the folder $DIR cannot be written to"
    trap 'rm -rf -- "$SCRATCH"' EXIT
}

ssl() {
    openssl "$@" 2>"$SCRATCH/openssl.log" || die "openssl $1 failed: $(tail -n 3 "$SCRATCH/openssl.log")"
}

new_key() { ssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

# is_whole FOLDER FILE...: whether it has all of them. Some of them only is an error.
is_whole() {
    local folder=$1 file found=0
    shift
    for file in "$@"; do
        if [[ -s $folder/$file ]]; then found=$((found + 1)); fi
    done
    if [[ $found -eq 0 ]]; then return 1; fi
    [[ $found -eq $# ]] ||
        die "$folder has only some of its files ($*). Put the missing ones back, or remove it: rm -r $folder"
}

# keep FOLDER: what $SCRATCH/new has takes its place.
keep() {
    rm -rf -- "$SCRATCH/old"
    if [[ -e $1 ]]; then mv -- "$1" "$SCRATCH/old"; fi
    mv -- "$SCRATCH/new" "$1"
}

make_ca() {
    if is_whole "$DIR/ca" tls.crt tls.key && [[ -z $NEW_CA ]]; then
        check_ca
        return
    fi
    mkdir "$SCRATCH/new"
    new_key "$SCRATCH/new/tls.key"
    ssl req -new -x509 -sha256 -key "$SCRATCH/new/tls.key" -days "$CA_DAYS" -out "$SCRATCH/new/tls.crt" \
        -subj "/CN=Bellbuoy authority of $NAME" -addext basicConstraints=critical,CA:TRUE,pathlen:0 \
        -addext keyUsage=critical,keyCertSign,cRLSign
    keep "$DIR/ca"
    note "made the authority $DIR/ca, good until $(end_of "$DIR/ca/tls.crt")"
}

check_ca() {
    ssl x509 -in "$DIR/ca/tls.crt" -noout -pubkey >"$SCRATCH/certificate.pub"
    ssl pkey -in "$DIR/ca/tls.key" -pubout >"$SCRATCH/key.pub"
    cmp --quiet "$SCRATCH/certificate.pub" "$SCRATCH/key.pub" ||
        die "$DIR/ca: the key is not that of the certificate." \
            "Put the right one back, or make a new authority: $0 --new-ca"
    openssl x509 -in "$DIR/ca/tls.crt" -noout -checkend 0 >/dev/null ||
        die "$DIR/ca: the authority ended at $(end_of "$DIR/ca/tls.crt"). Make a new one: $0 --new-ca"
}

end_of() { ssl x509 -in "$1" -noout -enddate | sed 's/^notAfter=//'; }

broker_names() {
    local host=$NAME-broker
    printf '%s\n' localhost 127.0.0.1 "$host" "$host.$NAMESPACE" "$host.$NAMESPACE.svc" \
        "$host.$NAMESPACE.svc.cluster.local" "${DNS[@]}"
}

# kind_of NAME: DNS or IP.
kind_of() {
    if [[ $1 =~ ^[0-9.]+$ || $1 == *:* ]]; then echo IP; else echo DNS; fi
}

# extensions SERVICE: what its certificate is for, and the broker's names.
extensions() {
    local name names=
    echo "basicConstraints=critical,CA:FALSE"
    echo "keyUsage=critical,digitalSignature"
    if [[ $1 != broker ]]; then
        echo "extendedKeyUsage=clientAuth"
        return
    fi
    echo "extendedKeyUsage=serverAuth"
    while read -r name; do names+=,$(kind_of "$name"):$name; done < <(broker_names)
    echo "subjectAltName=${names#,}"
}

# is_good SERVICE: its certificate is this authority's, has not ended, and the broker's has all names.
is_good() {
    local folder=$DIR/$1 name option
    cmp --quiet "$folder/ca.crt" "$DIR/ca/tls.crt" || return 1
    openssl x509 -in "$folder/tls.crt" -noout -checkend 0 >/dev/null || return 1
    [[ $1 == broker ]] || return 0
    while read -r name; do
        option=-checkhost
        if [[ $(kind_of "$name") == IP ]]; then option=-checkip; fi
        openssl x509 -in "$folder/tls.crt" -noout "$option" "$name" | grep -q 'does match' || return 1
    done < <(broker_names)
}

make_certificate() {
    local service=$1 folder=$DIR/$1
    if is_whole "$folder" ca.crt tls.crt tls.key && [[ $RENEW != "$service" && $RENEW != all ]] &&
        is_good "$service"; then
        return
    fi
    mkdir "$SCRATCH/new"
    new_key "$SCRATCH/new/tls.key"
    extensions "$service" >"$SCRATCH/extensions"
    ssl req -new -sha256 -key "$SCRATCH/new/tls.key" -subj "/CN=$service" -out "$SCRATCH/request"
    ssl x509 -req -sha256 -in "$SCRATCH/request" -CA "$DIR/ca/tls.crt" -CAkey "$DIR/ca/tls.key" \
        -set_serial "0x$(openssl rand -hex 16)" -days "$DAYS" -extfile "$SCRATCH/extensions" \
        -out "$SCRATCH/new/tls.crt"
    cp -- "$DIR/ca/tls.crt" "$SCRATCH/new/ca.crt"
    keep "$folder"
    note "made $folder, good until $(end_of "$folder/tls.crt")"
}

make_token() {
    if is_whole "$DIR/token" token; then return; fi
    mkdir "$SCRATCH/new"
    openssl rand -hex 32 | tr -d '\n' >"$SCRATCH/new/token"
    keep "$DIR/token"
    note "made $DIR/token"
}

# ---------------------------------------------------------------- Secrets

kube() { kubectl ${CONTEXT:+--context "$CONTEXT"} --request-timeout 20s "$@"; }

# apply NAMESPACE SECRET ARGUMENT...: makes it or replaces what it holds.
apply() {
    local namespace=$1 name=$2 manifest=$SCRATCH/manifest log=$SCRATCH/kubectl.log
    shift 2
    if ! kube create secret generic "$name" --namespace "$namespace" --dry-run=client --output yaml \
        "$@" >"$manifest" 2>"$log" || ! kube apply --filename "$manifest" 2>"$log"; then
        die "the Secret $name could not be applied: $(tail -n 3 "$log")"
    fi
}

# apply_certificate NAMESPACE SERVICE
apply_certificate() {
    apply "$1" "$NAME-$2-tls" --type kubernetes.io/tls --from-file "ca.crt=$DIR/$2/ca.crt" \
        --from-file "tls.crt=$DIR/$2/tls.crt" --from-file "tls.key=$DIR/$2/tls.key"
}

# The managers' pods mount a folder of the node.
ensure_nodes_namespace() {
    kube get namespace "$NODES_NAMESPACE" >/dev/null 2>&1 && return
    kube create namespace "$NODES_NAMESPACE"
    kube label namespace "$NODES_NAMESPACE" pod-security.kubernetes.io/enforce=privileged >/dev/null
}

apply_all() {
    local service
    kube get --raw /readyz >/dev/null 2>"$SCRATCH/kubectl.log" ||
        die "no cluster answers in the context '${CONTEXT:-$(kubectl config current-context 2>/dev/null || true)}'." \
            "This says why: kubectl cluster-info"
    kube get namespace "$NAMESPACE" >/dev/null 2>&1 ||
        kube create namespace "$NAMESPACE"
    for service in "${SERVICES[@]}"; do
        [[ $service == manager ]] || apply_certificate "$NAMESPACE" "$service"
    done
    if [[ -n $NODES_NAMESPACE ]]; then
        ensure_nodes_namespace
        apply_certificate "$NODES_NAMESPACE" manager
    fi
    apply "$NAMESPACE" "$NAME-token" --from-file "token=$DIR/token/token"
}

main() {
    local service
    parse_options "$@"
    require_tools
    open_dir
    make_ca
    for service in "${SERVICES[@]}"; do make_certificate "$service"; done
    make_token
    if [[ -n $APPLY ]]; then
        apply_all
    else
        note "all is in $DIR; --apply puts it into the namespace $NAMESPACE"
    fi
}

main "$@"
