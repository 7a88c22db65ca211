#!/usr/bin/env bash
# Builds Tonearm and opens its window. Arguments go to the program: ./run.sh import ~/Music
# Needs a Rust toolchain; what else the build and the window need is installed here when it is missing.
#
# TONEARM_SETUP_ONLY=1        installs what is missing and stops
# TONEARM_SETUP_WINDOW=1      installs what the window needs even where there is no screen
# TONEARM_SETUP_ALSO="a b"    commands to install as well
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
needed_minor=95 # of Rust 1.x, as rust-version in Cargo.toml

say() { printf '%s\n' "$*" >&2; }

stop() {
    printf '\n' >&2
    printf '%s\n' "$@" >&2
    exit 1
}

on_linux() { [ "$(uname -s)" = Linux ]; }

has_command() { command -v "$1" >/dev/null 2>&1; }

has_screen() { [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

# The sound library's headers, whether or not pkg-config is there to tell.
has_alsa() { pkg-config --exists alsa 2>/dev/null || [ -e /usr/include/alsa/asoundlib.h ]; }

# A shared library that is opened at run time, by the start of its file name.
has_library() {
    local dir
    for dir in /lib /usr/lib /lib64 /usr/lib64 /usr/local/lib; do
        if [ -d "$dir" ] && [ -n "$(find -L "$dir" -maxdepth 2 -name "$1*" -print -quit 2>/dev/null)" ]; then
            return 0
        fi
    done
    return 1
}

# Something that draws: a Vulkan driver, of the graphics card or in software.
has_driver() { compgen -G "/usr/share/vulkan/icd.d/*.json" >/dev/null || compgen -G "/etc/vulkan/icd.d/*.json" >/dev/null; }

# What the build calls and links. A C compiler links the program and builds the Opus decoder.
missing_for_build() {
    local command
    has_command cc || echo cc
    for command in cmake make ${TONEARM_SETUP_ALSO:-}; do
        has_command "$command" || echo "$command"
    done
    if on_linux; then
        has_command pkg-config || echo pkg-config
        has_alsa || echo alsa
    fi
}

# What the window opens when it starts. The command line works without.
missing_for_window() {
    local library
    on_linux || return 0
    has_screen || [ -n "${TONEARM_SETUP_WINDOW:-}" ] || return 0
    for library in libxkbcommon-x11 libX11-xcb libXcursor libXi libXrandr libEGL libvulkan; do
        has_library "$library.so" || echo "$library"
    done
    has_driver || echo vulkan-driver
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

# Debian's package for something that is missing.
apt_package() {
    case "$1" in
        cc | make) echo build-essential ;;
        alsa) echo libasound2-dev ;;
        libxkbcommon-x11) echo libxkbcommon-x11-0 ;;
        libX11-xcb) echo libx11-xcb1 ;;
        libXcursor) echo libxcursor1 ;;
        libXi) echo libxi6 ;;
        libXrandr) echo libxrandr2 ;;
        libEGL) echo libegl1 ;;
        libvulkan) echo libvulkan1 ;;
        vulkan-driver) echo mesa-vulkan-drivers ;;
        Xvfb) echo xvfb ;;
        pactl) echo pulseaudio-utils ;;
        *) echo "$1" ;;
    esac
}

install_by_apt() {
    local packages=() thing
    for thing in "$@"; do
        packages+=("$(apt_package "$thing")")
    done
    say "Installing by apt: ${packages[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}"
}

# What to type where we do not install by ourselves: hint build|window
hint() {
    if has_command dnf; then
        case "$1" in
            build) echo "  sudo dnf install gcc gcc-c++ make cmake pkgconf-pkg-config alsa-lib-devel" ;;
            window) echo "  sudo dnf install libxkbcommon-x11 libX11-xcb libXcursor libXi libXrandr mesa-libEGL vulkan-loader mesa-vulkan-drivers" ;;
        esac
    elif has_command pacman; then
        case "$1" in
            build) echo "  sudo pacman -S --needed base-devel cmake pkgconf alsa-lib" ;;
            window) echo "  sudo pacman -S --needed libxkbcommon-x11 libx11 libxcursor libxi libxrandr libglvnd vulkan-icd-loader vulkan-swrast" ;;
        esac
    elif has_command zypper; then
        case "$1" in
            build) echo "  sudo zypper install gcc gcc-c++ make cmake pkg-config alsa-devel" ;;
            window) echo "  sudo zypper install libxkbcommon-x11-0 libX11-xcb1 libXcursor1 libXi6 libXrandr2 Mesa-libEGL1 libvulkan1 libvulkan_lvp" ;;
        esac
    elif has_command brew || ! on_linux; then
        echo "  xcode-select --install; brew install cmake"
    else
        case "$1" in
            build) echo "  a C compiler, make, cmake, pkg-config and the headers of ALSA" ;;
            window) echo "  the X11 client libraries named above, libEGL, libvulkan and a Vulkan driver" ;;
        esac
    fi
}

install_for_build() {
    local missing
    missing="$(missing_for_build)"
    [ -n "$missing" ] || return 0
    say "Missing for the build: ${missing//$'\n'/ }"
    if ! has_command apt-get; then
        stop "Install what is missing, then start this again:" "$(hint build)" \
            ${TONEARM_SETUP_ALSO:+"  and $TONEARM_SETUP_ALSO"}
    fi
    # shellcheck disable=SC2086 # one word for each thing
    install_by_apt $missing
    missing="$(missing_for_build)"
    [ -z "$missing" ] || stop "Still missing after the installation: ${missing//$'\n'/ }"
}

# The window's own message tells what it cannot do without; the command line works anyway.
install_for_window() {
    local missing
    missing="$(missing_for_window)"
    [ -n "$missing" ] || return 0
    say "Missing for the window: ${missing//$'\n'/ }"
    if has_command apt-get && { [ "$(id -u)" -eq 0 ] || has_command sudo; }; then
        # shellcheck disable=SC2086 # one word for each thing
        install_by_apt $missing || say "Going on without"
    else
        say "The window may not open without. To install it:" "$(hint window)"
    fi
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
install_for_build
install_for_window
if [ -n "${TONEARM_SETUP_ONLY:-}" ]; then
    exit 0
fi
# Given here, the folder is known whatever the user's cargo settings say.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$here/target}"
program="$CARGO_TARGET_DIR/release/tonearm"
build "$program"
if [ $# -eq 0 ] && { has_screen || ! on_linux; }; then
    say "Opening the window; ./run.sh --help shows what the command line does"
fi
exec "$program" "$@"
