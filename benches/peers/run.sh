#!/bin/sh
# Builds the peer, the reference servers, the load generator and mirrorguard, measures the servers in one
# run, and checks the limits.
set -eu

usage() {
    cat <<EOF
Usage: benches/peers/run.sh [OPTION]...

Measures mirrorguard, the same webhook written with Go's controller-runtime, and two reference servers,
on loopback. Once everything is built, this takes about 7 minutes, and is stopped before 10.

  --quick               one repeat instead of three, about 3 minutes
  --write-docs          also write the figures to docs/benchmarks.md
  --mirrorguard BINARY  measure this binary (default: build target/dist/mirrorguard)
  --only NAME,...       measure only these targets of targets.json; limits without figures are ignored
  -h, --help            show this help

Writes out/results.jsonl, out/report.md and the logs of the servers.

Exit codes: 0 if every limit is met, 1 if a limit is missed or the run failed, 2 for a usage error.
EOF
}

fail() {
    printf 'run.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repeats=3
secs=1.5
starts=7
binary=
only=
docs=
while [ $# -gt 0 ]; do
    case $1 in
    --quick) repeats=1 secs=2 starts=3 ;;
    --write-docs) docs=../../docs/benchmarks.md ;;
    --mirrorguard | --only)
        [ $# -ge 2 ] || fail "$1 needs a value; see --help" 2
        if [ "$1" = --only ]; then only=$2; else binary=$(realpath -- "$2"); fi
        shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) fail "unknown argument '$1'; see --help" 2 ;;
    esac
    shift
done
[ -z "$only" ] || [ -z "$docs" ] || fail "--write-docs requires all targets: run it without --only" 2

cd -- "$(dirname -- "$0")"
[ "$(uname)" = Linux ] || fail "Linux is required: the figures are read from /proc"
for tool in cargo go openssl python3; do
    command -v "$tool" >/dev/null 2>&1 || fail "$tool is not installed, or not on PATH"
done

# build FOLDER OPTION...: builds the crate in FOLDER, into its own target folder.
build() {
    folder=$1
    shift
    cargo build --locked --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target" "$@"
}

echo 'building (takes minutes the first time, then seconds)' >&2
(cd crwebhook && go build -trimpath -ldflags='-s -w' -o crwebhook .)
build loadgen --release
build reference --release
if [ -z "$binary" ]; then
    # The profile and features of the released binary.
    binary=../../target/dist/mirrorguard
    case ,${only:-mirrorguard}, in
    *,mirrorguard*) build ../.. --profile dist --features otel ;;
    esac
fi

mkdir -p out
../../certs/issue.sh --out certs --force >/dev/null
python3 gen_payloads.py payloads >/dev/null

# In the background, so that the traps run immediately and stop bench.py, which stops its servers.
python3 bench.py out/results.jsonl --mirrorguard "$binary" --only "$only" \
    --repeats "$repeats" --secs "$secs" --starts "$starts" &
bench=$!
trap 'kill "$bench" 2>/dev/null; wait "$bench" || :; exit 130' INT
trap 'kill "$bench" 2>/dev/null; wait "$bench" || :; exit 143' TERM HUP
wait "$bench"

set -- out/results.jsonl
[ -z "$only" ] || set -- "$@" --partial
[ -z "$docs" ] || set -- "$@" --write-docs "$docs"
status=0
python3 report.py "$@" >out/report.md || status=$?
cat out/report.md
exit "$status"
