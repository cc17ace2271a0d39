#!/usr/bin/env bash
# Compiles the engine's quotes to WebAssembly: $CARGO_TARGET_DIR/wasm32-unknown-unknown/release/breakwater_wasm.wasm, and
# copies it to clients/js/engine.wasm. Needs the target wasm32-unknown-unknown (`rustup target add`). Where that is not installed,
# scripts/sbf's compiler builds the core library for it from the sources it has, from package registries alone.
# Further arguments go to cargo.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:?run this through make wasm}"
target=wasm32-unknown-unknown
built=$CARGO_TARGET_DIR

unset CARGO_ENCODED_RUSTFLAGS RUSTFLAGS
build=(cargo rustc "$@" --package breakwater-wasm --lib --crate-type cdylib --release --target "$target"
  --config 'profile.release.opt-level="s"' --config 'profile.release.strip=true')
if compgen -G "$(rustc --print target-libdir --target "$target")/libcore-*.rlib" >/dev/null; then
  "${build[@]}"
else
  echo "no $target here (rustup target add $target): building it with scripts/sbf's compiler" >&2
  SBF_HOME=${SBF_HOME:-$HOME/.cache/sbf}
  bash scripts/sbf/install.sh
  # rustc's own linker, which Debian's rustc does not bring along.
  lld=$(find "$(rustc --print sysroot)/lib/rustlib" -path '*/bin/rust-lld' | head -1)
  [[ $lld ]] || { echo "there is no rust-lld beside $(rustc --version): install Rust with rustup" >&2; exit 1; }
  built=$CARGO_TARGET_DIR/wasm # Cargo does not tell the two compilers' builds apart.
  RUSTC=$SBF_HOME/bin/rustc RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT=$SBF_HOME/rust/library \
    RUSTFLAGS="-C linker=$lld -C linker-flavor=wasm-ld --remap-path-prefix=$SBF_HOME=rust --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
    "${build[@]}" -Zbuild-std=core,alloc --target-dir "$built"
fi

wasm=$built/$target/release/breakwater_wasm.wasm
cmp -s "$wasm" clients/js/engine.wasm || cp "$wasm" clients/js/engine.wasm
echo "clients/js/engine.wasm: $(stat -c %s "$wasm") bytes"
