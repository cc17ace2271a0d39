#!/usr/bin/env bash
# Builds the program for the chain to $CARGO_TARGET_DIR/deploy/breakwater.so and copies it to target/deploy/ here, and
# beside it pyth_double.so, the test double of Pyth's programs.
# SBF_TOOLCHAIN=official uses Solana's own `cargo build-sbf`, SBF_TOOLCHAIN=registry the scripts in sbf/;
# unset, it is the official one where that is installed. Further arguments go to cargo. ANCHORS_ENTRY=1 builds the program
# without its own entry for what keepers call.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:?run this through make build}"

if [[ -z ${SBF_TOOLCHAIN:-} ]]; then
  SBF_TOOLCHAIN=registry
  cargo build-sbf --version >/dev/null 2>&1 && SBF_TOOLCHAIN=official
fi

build() { # PACKAGE FOLDER [cargo arguments]
  local package=$1 folder=$2 file=${1//-/_}.so
  shift 2
  echo "building $package ($SBF_TOOLCHAIN toolchain)"
  case $SBF_TOOLCHAIN in
    official) cargo build-sbf --manifest-path "$folder/Cargo.toml" --sbf-out-dir "$CARGO_TARGET_DIR/deploy" -- "$@" ;;
    registry) bash scripts/sbf/build.sh "$package" "$@" ;;
    *) echo "SBF_TOOLCHAIN is official or registry, not $SBF_TOOLCHAIN" >&2; exit 1 ;;
  esac
  local so=$CARGO_TARGET_DIR/deploy/$file
  mkdir -p target/deploy
  # Copied only when it differs, so that the file's time says when the program last changed.
  cmp -s "$so" "target/deploy/$file" || cp "$so" "target/deploy/$file"
  echo "target/deploy/$file: $(stat -c %s "$so") bytes, sha256 $(sha256sum "$so" | cut -c1-16)"
}

features=()
[[ -z ${ANCHORS_ENTRY:-} ]] || features=(--no-default-features --features no-log-ix-name)
build breakwater programs/breakwater "$@" "${features[@]}"
# Plays Pyth's programs in tests and on local chains. Nothing deploys it.
build pyth-double tests/pyth-double "$@"
