#!/usr/bin/env bash
# Plays sequences of actions on the engine for FUZZ_SECONDS, every invariant checked after every action, and lets libFuzzer look
# for sequences that reach new branches. What it found is kept in $BREAKWATER_CACHE/fuzz, and the next run goes on from there.
# Rust's stable compiler has the instrumentation: what a nightly `-Zsanitizer` would switch on is named in the flags below.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:?run this through make fuzz}"
seconds=${FUZZ_SECONDS:-600}
kept=${BREAKWATER_CACHE:-$HOME/.cache/breakwater}/fuzz
figures=${BREAKWATER_ASSURANCE:-$PWD/target/assurance}

command -v c++ >/dev/null || { # libFuzzer itself is C++, and compiled from the crate's sources
  root=()
  [[ $(id -u) == 0 ]] || root=(sudo)
  command -v apt-get >/dev/null || { echo "fuzz: needs a C++ compiler" >&2; exit 1; }
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends g++ >/dev/null
}

flags=(-Cpasses=sancov-module -Ccodegen-units=1 --cfg fuzzing
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares)
host=$(rustc -vV | sed -n 's/^host: //p')
# With --target the flags are not those of build scripts too.
RUSTFLAGS="${flags[*]}" cargo build "$@" --package breakwater-invariants --bin fuzz --features fuzz --profile fuzz \
  --target "$host" --target-dir "$CARGO_TARGET_DIR/fuzz"

mkdir -p "$kept/corpus" "$kept/found" "$figures"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "fuzzing for $seconds s, from $(find "$kept/corpus" -type f | wc -l) sequences in $kept/corpus"
status=0
# What has failed before is tried again at the start.
"$CARGO_TARGET_DIR/fuzz/$host/fuzz/fuzz" "$kept/corpus" "$kept/found" -artifact_prefix="$kept/found/" \
  -max_total_time="$seconds" -max_len=1024 -len_control=5 -timeout=60 -print_final_stats=1 2>&1 | tee "$log" || status=$?

stat() { sed -n "s/^stat::$1: *//p" "$log"; }
runs=$(stat number_of_executed_units)
covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
crashes=$([[ $status == 0 ]] && echo 0 || echo 1)
printf '{"fuzz_seconds": %d, "fuzz_sequences": %d, "fuzz_branches": %d, "fuzz_crashes": %d}\n' \
  "$seconds" "${runs:-0}" "${covered:-0}" "$crashes" > "$figures/fuzz.json"
[[ $status == 0 ]] || { grep -A1 '^invariant violated' "$log" || true; echo "the bytes are in $kept/found" >&2; }
echo "${runs:-0} sequences in $seconds s, ${covered:-0} branches reached, $(find "$kept/corpus" -type f | wc -l) sequences kept: $crashes failed"
exit "$status"
