#!/bin/sh
# Issues a CA and a serving certificate for the webhook, with openssl alone.
set -eu

ca_days=3650

usage() {
    cat <<EOF
Usage: certs/issue.sh [OPTION]...

Issues a CA and a serving certificate (EC P-256) for the webhook's Service,
and for localhost and 127.0.0.1.

  --service NAME     name of the Service (default: mirrorguard)
  --namespace NAME   namespace of the Service (default: mirrorguard)
  --days N           days the serving certificate is valid, up to $ca_days (default: 365)
  --out DIR          folder to write to (default: dev, next to this script)
  --renew            issue only a new serving certificate, from the CA in DIR
  --force            overwrite existing files in DIR
  -h, --help         show this help

Writes ca.crt, ca.key, tls.crt and tls.key.
EOF
}

fail() {
    printf 'issue.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# dns_label FLAG VALUE: fails unless VALUE is a DNS label, because names are written to the openssl configuration.
dns_label() {
    case $2 in
    '' | -* | *- | *[!a-z0-9-]*) fail "$1 must consist of lower-case letters, digits and inner '-', not '$2'" 2 ;;
    esac
    [ "${#2}" -le 63 ] || fail "$1 may have at most 63 characters: '$2'" 2
}

# shell_quote VALUE: prints VALUE as a single shell word.
shell_quote() {
    case $1 in
    *[!A-Za-z0-9_./-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf '%s' "$1" ;;
    esac
}

service=mirrorguard
namespace=mirrorguard
days=365
out=$(dirname -- "$0")/dev
force=false
renew=false

while [ $# -gt 0 ]; do
    case $1 in
    --service | --namespace | --days | --out)
        [ $# -ge 2 ] || fail "$1 needs a value; see --help" 2
        flag=$1 value=$2
        shift
        ;;
    --service=* | --namespace=* | --days=* | --out=*) flag=${1%%=*} value=${1#*=} ;;
    *) flag=$1 value= ;;
    esac
    shift
    case $flag in
    --service) service=$value ;;
    --namespace) namespace=$value ;;
    --days) days=$value ;;
    --out) out=$value ;;
    --renew) renew=true ;;
    --force) force=true ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) fail "unknown argument '$flag'; see --help" 2 ;;
    esac
done

dns_label --service "$service"
dns_label --namespace "$namespace"
case $days in
'' | 0* | *[!0-9]* | ?????*) days=-1 ;;
esac
[ "$days" -ge 1 ] && [ "$days" -le "$ca_days" ] || fail "--days must be a whole number from 1 to $ca_days" 2
case $out in
'') fail "--out must name a folder" 2 ;;
-*) out=./$out ;;
esac

command -v openssl >/dev/null 2>&1 ||
    fail "openssl is not installed: install the package 'openssl' (dnf, apt, apk or brew), or add it to PATH"

if $renew; then
    [ -s "$out/ca.crt" ] && [ -s "$out/ca.key" ] ||
        fail "--renew requires $out/ca.crt and $out/ca.key: run without --renew first to issue them"
    openssl x509 -in "$out/ca.crt" -noout -checkend "$((days * 86400))" >/dev/null ||
        fail "$out/ca.crt expires within $days days: choose fewer --days, or issue a new CA with --force"
elif ! $force; then
    for file in ca.crt ca.key tls.crt tls.key; do
        [ ! -e "$out/$file" ] ||
            fail "$out/$file exists: --force overwrites it, --renew keeps the CA, --out writes elsewhere"
    done
fi

# Files are written to a temporary folder and moved at the end, so a failure leaves $out unchanged.
work=$out/.issue.$$
umask 077
mkdir -p "$out"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run ARGUMENT...: runs openssl, and prints its output only if it fails.
run() {
    openssl "$@" 2>"$work/log" || {
        cat "$work/log" >&2
        fail "openssl $1 failed; openssl 1.1.1 or later, or LibreSSL 3, is required (found: $(openssl version))"
    }
}

cat >"$work/openssl.cnf" <<EOF
[req]
distinguished_name = subject
[subject]
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[serving]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = @names
[names]
DNS.1 = $service.$namespace.svc
DNS.2 = $service.$namespace.svc.cluster.local
DNS.3 = $service.$namespace
DNS.4 = $service
DNS.5 = localhost
IP.1 = 127.0.0.1
EOF

# request NAME COMMON_NAME: creates a key and a signing request for it.
request() {
    run genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -out "$work/$1.key"
    run req -new -config "$work/openssl.cnf" -subj "/CN=$2" -key "$work/$1.key" -sha256 -out "$work/$1.csr"
}

# sign NAME DAYS SECTION SIGNER...: signs the request. Serial numbers are random, as CAs with the same name require.
sign() {
    name=$1 for_days=$2 section=$3
    shift 3
    run x509 -req -in "$work/$name.csr" -days "$for_days" -sha256 \
        -set_serial "0x$(openssl rand -hex 16)" \
        -extfile "$work/openssl.cnf" -extensions "$section" -out "$work/$name.crt" "$@"
}

if $renew; then
    cp "$out/ca.crt" "$out/ca.key" "$work/"
else
    request ca "mirrorguard CA $(openssl rand -hex 4)"
    sign ca "$ca_days" ca -signkey "$work/ca.key"
fi
request tls "$service"
sign tls "$days" serving -CA "$work/ca.crt" -CAkey "$work/ca.key"
run verify -purpose sslserver -CAfile "$work/ca.crt" "$work/tls.crt" >/dev/null

chmod 644 "$work/ca.crt" "$work/tls.crt"
for file in ca.crt ca.key tls.crt tls.key; do
    mv -f "$work/$file" "$out/$file"
done

folder=$(shell_quote "$out")
secret=$service-tls
if $renew; then
    cat <<EOF
Renewed $out/tls.crt. The CA is unchanged. Update the Secret with:

  kubectl --namespace $namespace create secret tls $secret \\
    --cert=$folder/tls.crt --key=$folder/tls.key --dry-run=client --output=yaml |
    kubectl apply --filename -
EOF
    exit 0
fi
if [ "$service" = mirrorguard ]; then
    name_option=
else
    name_option="--set fullnameOverride=$service "
fi
cat <<EOF
Issued a CA and a certificate for $service.$namespace.svc, localhost and 127.0.0.1 in $out:
  ca.crt  ca.key    valid for $ca_days days; anyone with ca.key can impersonate the webhook
  tls.crt tls.key   valid for $days days

On this machine:

  mirrorguard serve --state examples/no-release-repository --listen 127.0.0.1:8443 \\
    --tls-cert $folder/tls.crt --tls-key $folder/tls.key

In a cluster:

  kubectl create namespace $namespace
  kubectl --namespace $namespace create secret tls $secret \\
    --cert=$folder/tls.crt --key=$folder/tls.key
  helm install mirrorguard charts/mirrorguard --namespace $namespace \\
    $name_option--set certificates.mode=existingSecret --set certificates.secretName=$secret \\
    --set-file certificates.caBundle=$folder/ca.crt --wait
EOF
