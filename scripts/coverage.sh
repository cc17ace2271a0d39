#!/usr/bin/env bash
# Which lines of the engine its tests and the sequences of crates/invariants run: compiled with rustc's own instrumentation, read with
# LLVM's tools. Lines of tests do not count. Lists the lines not reached, and fails below the percentage that is promised.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:?run this through make coverage}"
promised=98
figures=${BREAKWATER_ASSURANCE:-$PWD/target/assurance}
built=$CARGO_TARGET_DIR/coverage
say() { echo "coverage: $*" >&2; }

# llvm-profdata and llvm-cov of rustc's LLVM: those of rustup (component llvm-tools), or of the system, or of Debian's archive.
major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
tool() {
  find "$(rustc --print sysroot)/lib/rustlib" -path "*/bin/$1" 2>/dev/null | grep . || command -v "$1-$major"
}
if ! { tool llvm-profdata && tool llvm-cov; } >/dev/null; then
  command -v apt-get >/dev/null || { say "needs LLVM's tools: rustup component add llvm-tools"; exit 1; }
  root=()
  [[ $(id -u) == 0 ]] || root=(sudo)
  say "installing llvm-$major"
  "${root[@]}" apt-get -qq update
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "llvm-$major" >/dev/null
fi

rm -rf "$built/raw"
export RUSTFLAGS=-Cinstrument-coverage LLVM_PROFILE_FILE=$built/raw/%p-%8m.profraw
# A tenth of CI's sequences: what they reach, they reach early.
export BREAKWATER_SEQUENCES=${BREAKWATER_SEQUENCES:-200} BREAKWATER_ASSURANCE=$built
packages=(--package breakwater-engine --package breakwater-invariants)
run() { cargo test "$@" --target-dir "$built" --lib --tests; }
run "$@" "${packages[@]}" --quiet
mapfile -t binaries < <(run "$@" "${packages[@]}" --no-run --message-format=json 2>/dev/null |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
"$(tool llvm-profdata | head -1)" merge --sparse "$built"/raw/*.profraw -o "$built/all.profdata"
"$(tool llvm-cov | head -1)" export --format=lcov --instr-profile "$built/all.profdata" "${binaries[0]}" \
  "${binaries[@]/#/--object=}" > "$built/lcov.info"

# A file's tests come last in it, or have a file of their own.
mkdir -p "$figures"
awk -v promised="$promised" -v out="$figures/coverage.json" -v here="$PWD/" '
  /^SF:/ {
    file = substr($0, 4); sub(here, "", file); tests = 1e9; line = 0
    while ((getline text < file) > 0) { line++; if (text == "#[cfg(test)]") { tests = line; break } }
    close(file)
  }
  /^DA:/ && file ~ /^crates\/engine\/src\// && file !~ /(tests\.rs$|\/tests\/)/ {
    split(substr($0, 4), part, ",")
    if (part[1] >= tests) next
    lines++
    if (part[2] > 0) reached++; else missed[++misses] = file ":" part[1]
  }
  END {
    for (i = 1; i <= misses; i++) print "not reached: " missed[i]
    percent = lines ? 100 * reached / lines : 0
    # Rounded down, so that 100 is all of them.
    percent = int(percent * 100) / 100
    printf "{\"coverage_lines\": %.2f, \"coverage_lines_all\": %d, \"coverage_lines_reached\": %d}\n", percent, lines, reached > out
    printf "%d of %d lines of the engine: %.2f%%\n", reached, lines, percent
    exit percent < promised
  }' "$built/lcov.info"
