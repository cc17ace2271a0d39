#!/usr/bin/env bash
# usage: build.sh PACKAGE [cargo arguments]
# Builds the workspace's program PACKAGE to $CARGO_TARGET_DIR/deploy/PACKAGE.so, and first installs the toolchain where
# it is missing (install.sh). SBF_ARCH=v0 gives the oldest bytecode, which cannot pass more than five arguments.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export SBF_HOME=${SBF_HOME:-$HOME/.cache/sbf}
bash "$here/install.sh"

package=$1; shift
target=${CARGO_TARGET_DIR:-target}
export SBF_PROGRAM=${package//-/_}

# Debian's rustc under rustup's cargo, for a target of our own with a standard library built for it. The library and
# the target's description are in the toolchain's folder; the options that allow this are unstable.
export RUSTC=$SBF_HOME/bin/rustc RUSTC_BOOTSTRAP=1 RUSTC_BOOTSTRAP_SYNTHETIC_TARGET=1
export __CARGO_TESTS_ONLY_SRC_ROOT=$SBF_HOME/rust/library
cpu=v4; [[ ${SBF_ARCH:-v3} == v0 ]] && cpu=v2
unset CARGO_ENCODED_RUSTFLAGS
export RUSTFLAGS="-C linker=$SBF_HOME/bin/link -C target-cpu=$cpu -C relocation-model=static -C passes=lower-atomic \
--remap-path-prefix=$SBF_HOME=sbf --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
cargo rustc --package "$package" --release --lib --crate-type cdylib --target "$SBF_HOME/sbf-solana-solana.json" \
  --target-dir "$target/sbf" -Zjson-target-spec -Zbuild-std=std,panic_abort "$@"

mkdir -p "$target/deploy"
cp "$target/sbf/sbf-solana-solana/release/lib$SBF_PROGRAM.so" "$target/deploy/$SBF_PROGRAM.so"
