#!/usr/bin/env bash
# Plays the attacks on the compiled program and joins what they leave: target/attacks.json, with the gain and the limit of each, and how
# long each action had to wait for an adversary on a budget.
set -euo pipefail
cd "$(dirname "$0")/.."
export BREAKWATER_ATTACKS=$PWD/target/attacks
rm -rf "$BREAKWATER_ATTACKS"
mkdir -p "$BREAKWATER_ATTACKS"/{attacks,liveness}
cargo test "$@" --workspace --test instructions -- attacks::

lines() {
  local first=1 file
  for file in "$BREAKWATER_ATTACKS/$1"/*; do
    [[ $first ]] || printf ',\n'
    first=
    printf '    %s' "$(<"$file")"
  done
}
{
  printf '{\n  "attacks": {\n%s\n  },\n' "$(lines attacks)"
  printf '  "liveness": {\n%s\n  }\n}\n' "$(lines liveness)"
} > target/attacks.json
echo "target/attacks.json: $(ls "$BREAKWATER_ATTACKS/attacks" | wc -l) attacks and $(ls "$BREAKWATER_ATTACKS/liveness" | wc -l) actions that pass, each within its limit"
