#!/usr/bin/env bash
# usage: test.sh [cargo test arguments]
# Runs the tests and closes with one line, "N passed, N failed", over all test binaries. A binary that stops before
# its end counts as one failure, and so does a build that fails: the line never says 0 failed when something did.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
SECONDS=0

cargo test --no-fail-fast "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

awk -v status="$status" -v seconds="$SECONDS" '
  /^     Running |^   Doc-tests / { binary = $0; sub(/^ +(Running )?/, "", binary); sub(/ \(.*/, "", binary) }
  /^running [0-9]+ tests?$/ { started++; open[started] = binary }
  /^test result: / { delete open[started]; passed += $4; failed += $6; ignored += $8 }
  /^test .* \.\.\. FAILED$/ { print "failed: " $2 " in " binary }
  END {
    for (i in open) { failed++; print "failed: " open[i] " stopped before its end" }
    if (status != 0 && failed == 0) { failed = 1; print "failed: the tests did not build" }
    printf "%d test binaries in %d s%s\n", started, seconds, ignored ? ", ignored: " ignored : ""
    printf "%d passed, %d failed\n", passed, failed
  }' "$log"
exit "$status"
