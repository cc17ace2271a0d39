#!/usr/bin/env bash
# Builds the program for the chain to $CARGO_TARGET_DIR/deploy/breakwater.so and copies it to target/deploy/ here.
# SBF_TOOLCHAIN=official uses Solana's own `cargo build-sbf`, SBF_TOOLCHAIN=registry the scripts in sbf/;
# unset, it is the official one where that is installed. Further arguments go to cargo.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:?run this through make build}"
so=$CARGO_TARGET_DIR/deploy/breakwater.so

if [[ -z ${SBF_TOOLCHAIN:-} ]]; then
  SBF_TOOLCHAIN=registry
  cargo build-sbf --version >/dev/null 2>&1 && SBF_TOOLCHAIN=official
fi
echo "building the program ($SBF_TOOLCHAIN toolchain)"
case $SBF_TOOLCHAIN in
  official) cargo build-sbf --manifest-path programs/breakwater/Cargo.toml --sbf-out-dir "${so%/*}" -- "$@" ;;
  registry) bash scripts/sbf/build.sh breakwater "$@" ;;
  *) echo "SBF_TOOLCHAIN is official or registry, not $SBF_TOOLCHAIN" >&2; exit 1 ;;
esac

mkdir -p target/deploy
# Copied only when it differs, so that the file's time says when the program last changed.
cmp -s "$so" target/deploy/breakwater.so || cp "$so" target/deploy/breakwater.so
echo "target/deploy/breakwater.so: $(stat -c %s "$so") bytes, sha256 $(sha256sum "$so" | cut -c1-16)"
