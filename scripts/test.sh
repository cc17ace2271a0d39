#!/usr/bin/env bash
# usage: test.sh [cargo test arguments]
# Runs the tests of Rust and of JavaScript, and closes with one line, "N passed, N failed", over all of them. A binary that
# stops before its end counts as one failure, and so does a build that fails: the line never says 0 failed when something did.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
SECONDS=0

cargo test --no-fail-fast "$@" 2>&1 | tee "$log"
rust=${PIPESTATUS[0]}
bash scripts/js.sh test 2>&1 | tee -a "$log"
js=${PIPESTATUS[0]}
# What the tests have measured for docs/reports/assurance.md must be what it says.
cargo run --quiet --package breakwater-xtask -- assurance --check 2>&1 | tee -a "$log"
figures=${PIPESTATUS[0]}

awk -v rust="$rust" -v js="$js" -v figures="$figures" -v seconds="$SECONDS" '
  /^     Running |^   Doc-tests / { binary = $0; sub(/^ +(Running )?/, "", binary); sub(/ \(.*/, "", binary) }
  /^running [0-9]+ tests?$/ { started++; open[started] = binary }
  /^test result: / { delete open[started]; passed += $4; failed += $6; ignored += $8 }
  /^test .* \.\.\. FAILED$/ { print "failed: " $2 " in " binary }
  # The closing lines of node --test.
  $2 == "pass" && NF == 3 && $3 ~ /^[0-9]+$/ { passed += $3; js_passed += $3 }
  $2 == "fail" && NF == 3 && $3 ~ /^[0-9]+$/ { failed += $3; js_failed += $3 }
  $2 == "skipped" && NF == 3 && $3 ~ /^[0-9]+$/ { ignored += $3 }
  END {
    for (i in open) { failed++; print "failed: " open[i] " stopped before its end" }
    if (rust != 0 && failed == js_failed + 0) { failed++; print "failed: the tests of Rust did not build" }
    if (js != 0 && js_failed == 0) { failed++; print "failed: the tests of JavaScript did not build" }
    if (figures != 0) { failed++; print "failed: docs/reports/assurance.md does not say what was measured" }
    if (js_passed + js_failed == 0 && js == 0) { failed++; print "failed: no test of JavaScript ran" }
    printf "%d test binaries and %d tests of JavaScript in %d s%s\n", started, js_passed + js_failed, seconds, ignored ? ", ignored: " ignored : ""
    printf "%d passed, %d failed\n", passed, failed
    exit failed != 0
  }' "$log"
