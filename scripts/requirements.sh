#!/usr/bin/env bash
# Looks for what the build calls besides cargo and git, and installs what is missing from Debian's archive:
# a C compiler and make (OpenSSL, zstd, ring and blst are built from source), and perl (OpenSSL's configure script).
set -euo pipefail
say() { echo "requirements: $*" >&2; }

command -v cargo >/dev/null || { say "needs cargo: install Rust from https://rustup.rs"; exit 1; }
missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v make >/dev/null || missing+=(make)
perl -MFindBin -MFile::Compare -e 1 2>/dev/null || missing+=(perl)
[[ ${#missing[@]} == 0 ]] && exit 0

command -v apt-get >/dev/null || { say "please install: ${missing[*]}"; exit 1; }
root=()
[[ $(id -u) == 0 ]] || root=(sudo)
say "installing ${missing[*]}"
"${root[@]}" apt-get -qq update
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "${missing[@]}" >/dev/null
