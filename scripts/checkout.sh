#!/usr/bin/env bash
# Several checkouts may share one CARGO_TARGET_DIR, so that the Solana tree is compiled once. Cargo tells their own
# crates apart by name and file time only: it would take another checkout's newer build for this one's. So where
# the last build there was another checkout's, this one's sources get a new file time, and are compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:?run this through make}"
mkdir -p "$CARGO_TARGET_DIR"
last=$CARGO_TARGET_DIR/.checkout
[[ -f $last && $(<"$last") == "$PWD" ]] && exit 0
find crates programs tests -type f -exec touch {} +
echo "$PWD" > "$last"
