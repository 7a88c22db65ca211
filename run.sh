#!/usr/bin/env bash
# Builds Tonearm and starts it. Arguments go to the program: ./run.sh import ~/Music
# Needs a Rust toolchain; what else the build needs is installed here when it is missing.
#
# TONEARM_SETUP_ONLY=1        installs what is missing and stops
# TONEARM_SETUP_ALSO="a b"    commands to install as well, each of a package of the same name
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
needed_minor=95 # of Rust 1.x, as rust-version in Cargo.toml

say() { printf '%s\n' "$*" >&2; }

stop() {
    printf '\n' >&2
    printf '%s\n' "$@" >&2
    exit 1
}

# The commands that the build calls. A C compiler links the program and builds the Opus decoder.
missing_commands() {
    local command
    command -v cc >/dev/null 2>&1 || echo cc
    for command in cmake make ${TONEARM_SETUP_ALSO:-}; do
        command -v "$command" >/dev/null 2>&1 || echo "$command"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        stop "Needs to run as root, and there is no sudo here:" "  $*"
    fi
}

# Debian's package for a command.
apt_package() {
    case "$1" in
        cc | make) echo build-essential ;;
        *) echo "$1" ;;
    esac
}

install_missing() {
    local missing packages=() command
    missing="$(missing_commands)"
    [ -n "$missing" ] || return 0
    say "Missing: ${missing//$'\n'/ }"
    if command -v apt-get >/dev/null 2>&1; then
        for command in $missing; do
            packages+=("$(apt_package "$command")")
        done
        say "Installing by apt: ${packages[*]}"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${packages[@]}"
        missing="$(missing_commands)"
        [ -z "$missing" ] || stop "Still missing after the installation: ${missing//$'\n'/ }"
        return 0
    fi
    local also="${TONEARM_SETUP_ALSO:+ $TONEARM_SETUP_ALSO}"
    if command -v dnf >/dev/null 2>&1; then
        stop "Install what is missing, then start this again:" "  sudo dnf install gcc gcc-c++ make cmake$also"
    elif command -v pacman >/dev/null 2>&1; then
        stop "Install what is missing, then start this again:" "  sudo pacman -S --needed base-devel cmake$also"
    elif command -v zypper >/dev/null 2>&1; then
        stop "Install what is missing, then start this again:" "  sudo zypper install gcc gcc-c++ make cmake$also"
    elif command -v brew >/dev/null 2>&1; then
        stop "Install what is missing, then start this again:" "  xcode-select --install; brew install cmake$also"
    fi
    stop "Install a C compiler, make and cmake$also, then start this again"
}

check_rust() {
    local version minor
    if ! command -v cargo >/dev/null 2>&1 && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    if ! command -v cargo >/dev/null 2>&1; then
        stop "Rust is missing. This installs it for your user alone:" \
            "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" \
            "Then open a new terminal and start this again"
    fi
    version="$(cd "$here" && cargo --version | cut -d ' ' -f 2)"
    minor="$(printf '%s' "$version" | cut -d . -f 2)"
    if [ "${version%%.*}" = 1 ] && [ "$minor" -lt "$needed_minor" ]; then
        stop "Rust 1.$needed_minor or newer is needed; this is $version:" "  rustup update stable"
    fi
}

build() {
    local began=$SECONDS
    if [ ! -x "$1" ]; then
        say "Building Tonearm: some minutes the first time, seconds later"
    fi
    cargo build --release --locked --manifest-path "$here/Cargo.toml" -p tonearm ||
        stop "The build failed; the reason stands above"
    if [ $((SECONDS - began)) -ge 5 ]; then
        say "Built in $((SECONDS - began)) s"
    fi
}

check_rust
install_missing
if [ -n "${TONEARM_SETUP_ONLY:-}" ]; then
    exit 0
fi
# Given here, the folder is known whatever the user's cargo settings say.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$here/target}"
program="$CARGO_TARGET_DIR/release/tonearm"
build "$program"
exec "$program" "$@"
