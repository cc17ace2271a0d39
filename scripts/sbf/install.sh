#!/usr/bin/env bash
# Installs, below $SBF_HOME, a toolchain that builds Solana programs from package registries alone: rustc and its
# library sources, and LLVM, from Debian; sbpf-linker from the Cargo registry. Nothing system-wide is touched, and
# root is not needed. Where the Solana CLI is installed none of this is: `cargo build-sbf` does the same job.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
SBF_HOME=${SBF_HOME:-$HOME/.cache/sbf}
# What is installed depends on these files alone; the stamp says which versions of them installed it.
stamp=$(cd "$here" && cat install.sh port-std.sh sbf-solana-solana.json | sha256sum | cut -c1-16)
installed() { [[ -f $SBF_HOME/.installed && $(<"$SBF_HOME/.installed") == "$stamp" ]]; }
installed && exit 0
say() { echo "sbf toolchain: $*" >&2; }

for tool in cargo apt-get dpkg perl flock; do
  command -v "$tool" >/dev/null || { say "needs $tool; or install the Solana CLI and use cargo build-sbf"; exit 1; }
done
[[ $(dpkg --print-architecture) == amd64 ]] || { say "needs an amd64 machine; or install the Solana CLI"; exit 1; }
mkdir -p "${SBF_HOME%/*}"
exec 9>"$SBF_HOME.lock"
flock --nonblock 9 || { say "another build is installing it: waiting"; flock 9; }
installed && exit 0

say "installing once in $SBF_HOME, about 4 minutes"
rm -rf "$SBF_HOME" && mkdir -p "$SBF_HOME"/{debs,rustc,llvm,bin}
# apt with package lists of our own, so that neither root nor an up-to-date system is needed.
mkdir -p "$SBF_HOME"/apt/{lists/partial,cache/archives/partial}
own_lists=(-oDir::State::Lists="$SBF_HOME/apt/lists" -oDir::Cache="$SBF_HOME/apt/cache" -oAPT::Sandbox::User=
  -oDebug::NoLocking=1)
unpack() { # into the folder named, every package downloaded so far
  for deb in "$SBF_HOME"/debs/*.deb; do dpkg -x "$deb" "$SBF_HOME/$1"; done
  rm -f "$SBF_HOME"/debs/*.deb
}

say "1/5 fetching rustc and its library sources"
apt-get -qq "${own_lists[@]}" update
std=$(apt-cache "${own_lists[@]}" depends libstd-rust-web-dev | sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\).*/\1/p' | head -1)
apt-get -qq "${own_lists[@]}" install --reinstall --download-only --no-install-recommends \
  -oDir::Cache::archives="$SBF_HOME/debs" rustc-web rust-web-src libstd-rust-web-dev "$std" >/dev/null
unpack rustc

# sbpf-linker needs LLVM 23, which only Debian's unstable suite has; it runs on that suite's own C library.
say "2/5 fetching LLVM 23"
archive=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' | grep -v -- -security | awk '{print $1; exit}')
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive sid main" > "$SBF_HOME/apt/sources.list"
sid=("${own_lists[@]}" -oDir::Etc::sourcelist="$SBF_HOME/apt/sources.list" -oDir::Etc::sourceparts=/dev/null
  -oDir::State::status=/dev/null)
apt-get -qq "${sid[@]}" update
packages=$(apt-cache "${sid[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
  --no-replaces --no-enhances libllvm23 | grep -E '^[a-z0-9]' | grep -vE 'debconf|cdebconf|perl|dpkg|tar$' | sort -u)
# shellcheck disable=SC2086 # one word a package
(cd "$SBF_HOME/debs" && apt-get -qq "${sid[@]}" download llvm-23 $packages)
unpack llvm
rm -rf "$SBF_HOME/debs" "$SBF_HOME/apt"

say "3/5 porting the standard library"
mkdir -p "$SBF_HOME/rust"
cp -rL "$SBF_HOME"/rustc/usr/src/rustc-*/library "$SBF_HOME/rust/library"
bash "$here/port-std.sh" "$SBF_HOME/rust/library"
cp "$here/sbf-solana-solana.json" "$SBF_HOME/"

cat > "$SBF_HOME/bin/rustc" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=$SBF_HOME/rustc/usr/lib/x86_64-linux-gnu exec $SBF_HOME/rustc/usr/bin/rustc "\$@"
EOF
cat > "$SBF_HOME/bin/with-llvm" <<EOF
#!/bin/sh
lib=$SBF_HOME/llvm/usr/lib/x86_64-linux-gnu
exec \$lib/ld-linux-x86-64.so.2 --library-path \$lib "\$@"
EOF
# sbpf-linker opens the first libLLVM* it finds in LD_LIBRARY_PATH.
mkdir -p "$SBF_HOME/libllvm"
ln -s "$SBF_HOME"/llvm/usr/lib/x86_64-linux-gnu/libLLVM.so.23* "$SBF_HOME/libllvm/libLLVM-23.so"
cat > "$SBF_HOME/bin/sbpf-linker" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=$SBF_HOME/libllvm exec $SBF_HOME/bin/with-llvm $SBF_HOME/cargo/bin/sbpf-linker "\$@"
EOF
# What rustc calls as its linker: it links the program itself, and nothing for a dependency's own cdylib.
cat > "$SBF_HOME/bin/link" <<EOF
#!/bin/bash
set -euo pipefail
llvm() { $SBF_HOME/bin/with-llvm $SBF_HOME/llvm/usr/lib/llvm-23/bin/"\$@"; }
inputs=()
for arg; do
  [[ \${previous:-} == -o ]] && out=\$arg
  # sbpf-linker refuses constants of size zero, which Rust makes of empty statics: give each a byte.
  if [[ \$arg == *.rcgu.o ]]; then
    llvm llvm-dis "\$arg" -o - |
      sed -E 's/^(@[^=]+= [a-z_ ]*constant) (\[0 x i8\]|<\{\}>|\{\}) zeroinitializer/\1 [1 x i8] zeroinitializer/' |
      llvm llvm-as -o "\$arg.sized.o"
    arg=\$arg.sized.o
  fi
  inputs+=("\$arg") previous=\$arg
done
[[ \$(basename "\$out") == *"\$SBF_PROGRAM".so ]] || { : > "\$out"; exit 0; }
exec $SBF_HOME/bin/sbpf-linker --arch "\${SBF_ARCH:-v3}" --cpu-features=+allows-misaligned-mem-access \\
  --llvm-args=--bpf-stack-size=4096,--disable-movsx,--disable-ldsx,--disable-bswap,--disable-gotol,--disable-gotox \\
  --export entrypoint --deploy false $SBF_HOME/builtins/builtins.bc "\${inputs[@]}"
EOF
chmod +x "$SBF_HOME"/bin/*

say "4/5 building sbpf-linker"
cargo install sbpf-linker --version 0.2.6 --locked --root "$SBF_HOME/cargo" --target-dir "$SBF_HOME/build"
rm -rf "$SBF_HOME/build"

say "5/5 building the compiler builtins"
mkdir -p "$SBF_HOME/builtins/src"
cat > "$SBF_HOME/builtins/Cargo.toml" <<'EOF'
[package]
name = "builtins"
version = "0.0.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
[dependencies]
solana-compiler-builtins = "=0.3.0"
[profile.release]
lto = "fat"
codegen-units = 1
[workspace]
EOF
cat > "$SBF_HOME/builtins/src/lib.rs" <<'EOF'
#![no_std]
use solana_compiler_builtins as _;
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
EOF
(
  cd "$SBF_HOME/builtins"
  export RUSTC=$SBF_HOME/bin/rustc RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT=$SBF_HOME/rust/library
  export RUSTFLAGS="-C linker=/bin/true"
  unset CARGO_TARGET_DIR
  cargo rustc -q --release --target bpfel-unknown-none -Zbuild-std=core -- --emit=llvm-bc
  llvm() { "$SBF_HOME/bin/with-llvm" "$SBF_HOME/llvm/usr/lib/llvm-23/bin/$1" "${@:2}"; }
  llvm llvm-dis target/bpfel-unknown-none/release/deps/builtins.bc -o builtins.ll
  # This rustc returns a 128-bit integer through a pointer; LLVM 23 expects its own helpers to return it in
  # registers. Give each helper the name and shape that LLVM calls.
  for name in __multi3 __udivti3 __umodti3; do
    sed -i "s/@$name(/@by_pointer$name(/g" builtins.ll
    cat >> builtins.ll <<EOF

define i128 @$name(i128 %a, i128 %b) {
  %result = alloca i128, align 16
  call void @by_pointer$name(ptr sret([16 x i8]) align 16 %result, i128 %a, i128 %b)
  %value = load i128, ptr %result, align 16
  ret i128 %value
}
EOF
  done
  llvm llvm-as builtins.ll -o builtins.bc
  rm -rf target builtins.ll
)
echo "$stamp" > "$SBF_HOME/.installed"
say "installed in $SBF_HOME"
