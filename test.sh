#!/usr/bin/env bash
# Installs what the tests need and runs every check. The last line counts the tests.
#
#   ./test.sh         everything
#   ./test.sh quick   format, lints and tests only
#   TONEARM_SLOW=1 ./test.sh    the slow tests as well
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
mode="${1:-full}"
case "$mode" in
    full | quick) ;;
    *)
        echo "usage: ./test.sh [quick]" >&2
        exit 2
        ;;
esac

# The journeys through the window run on a screen of their own, with sound that nobody hears.
also="ffmpeg shellcheck"
if [ "$(uname -s)" = Linux ]; then
    also="$also Xvfb openbox xdotool pulseaudio pactl"
fi
TONEARM_SETUP_ONLY=1 TONEARM_SETUP_WINDOW=1 TONEARM_SETUP_ALSO="$also" ./run.sh
if ! command -v cargo >/dev/null 2>&1; then
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
summary=()
failed=0

# step NAME COMMAND…: a heading, the command, its time; a failure is remembered and the rest goes on.
step() {
    local name="$1" began=$SECONDS result=ok
    shift
    printf '\n=== %s\n' "$name"
    if ! "$@"; then
        result=FAILED
        failed=$((failed + 1))
    fi
    printf -- '--- %s: %s, %s s\n' "$name" "$result" $((SECONDS - began))
    summary+=("$(printf '%-8s %5s s  %s' "$result" $((SECONDS - began)) "$name")")
}

skip() {
    printf '\n=== %s\nskipped: %s\n' "$1" "$2"
    summary+=("$(printf '%-8s %5s    %s' skipped '' "$1: $2")")
}

lints() { cargo clippy --workspace --all-targets --locked -- -D warnings; }

tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --locked --no-fail-fast 2>&1 | tee -a "$log"
    else
        cargo test --workspace --locked --no-fail-fast --lib --bins --tests 2>&1 | tee -a "$log"
    fi
}

# The Python environment as users get it, kept in a cache folder of the tests' own. Prints why where there is none.
environment() {
    local program found on_linux
    cargo build --locked --workspace --bin tonearm || return 1
    program="${CARGO_TARGET_DIR:-target}/debug/tonearm"
    export TONEARM_CACHE="${TONEARM_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tonearm-tests}"
    found="$("$program" --json setup --check)"
    if printf '%s' "$found" | grep -q '"event":"interpreter","state":"missing"'; then
        no_environment="there is no Python 3.12 here"
        return 0
    fi
    # The common builds for Linux need no server but the one that has everything else, and no card either.
    on_linux=()
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        on_linux=(--torch cuda)
    fi
    if "$program" setup --models none "${on_linux[@]}"; then
        export TONEARM_TEST_CACHE="$TONEARM_CACHE"
        python="$("$program" --json setup --check | sed -n 's/.*"event":"environment".*"path":"\([^"]*\)".*/\1/p')/bin/python"
    else
        no_environment="the packages cannot be had here"
    fi
}

python_tests() { "$python" -B -m unittest discover -s python/tests 2>&1; }

doc_tests() { cargo test --workspace --locked --doc 2>&1 | tee -a "$log"; }

documentation() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --locked --no-deps; }

dependencies() {
    cargo deny --locked check licenses bans sources || return 1
    if ! cargo deny --locked fetch db >/dev/null 2>&1; then
        echo "advisories: skipped, their database cannot be reached"
        return 0
    fi
    cargo deny --locked check advisories
}

# Adds up what follows the number in the closing lines of the runners: count passed
count() {
    { grep -E '^ *Summary \[|^test result:' "$log" || true; } |
        { grep -oE "[0-9]+ $1" || true; } |
        awk '{ sum += $1 } END { print sum + 0 }'
}

if [ "$mode" = full ]; then
    step "shell scripts" shellcheck run.sh test.sh .ci/run
fi
step "format" cargo fmt --all --check
step "lints" lints
no_environment="" python=""
if [ "$mode" = full ]; then
    step "Python environment" environment
    unset TONEARM_CACHE
    if [ -n "$python" ]; then
        step "tests of the workers" python_tests
    else
        skip "tests of the workers" "${no_environment:-it could not be made}"
    fi
fi
step "tests" tests
if [ "$mode" = full ]; then
    step "examples in the documentation" doc_tests
    step "documentation" documentation
    if cargo deny --version >/dev/null 2>&1; then
        step "dependencies" dependencies
    else
        skip "dependencies" "cargo-deny is not installed; licences and sources are among the tests"
    fi
fi

printf '\n=== summary, %s s\n' "$SECONDS"
printf '%s\n' "${summary[@]}"
if [ "$failed" -gt 0 ]; then
    printf '%s of the steps above failed\n' "$failed"
fi
printf '%s passed, %s failed\n' "$(count passed)" "$(count failed)"
[ "$failed" -eq 0 ]
