#!/usr/bin/env bash
# What posting prices costs and how long it takes, from the tests that measure it: target/pyth.json. Seconds are of 20 prices on a localnet
# with slots of 250 ms, from `breakwater price` to the liquidation, confirmed.
set -euo pipefail
cd "$(dirname "$0")/.."
export BREAKWATER_SO=${BREAKWATER_SO:-$PWD/target/deploy/breakwater.so} BREAKWATER_PYTH_ROUNDS=${BREAKWATER_PYTH_ROUNDS:-20}
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
measure() { # package, target, test, locked
  cargo test "${@:4}" --package "$1" $2 -- --nocapture "$3" | tee /dev/stderr | sed -n 's/^figure //p' >> "$figures"
}
measure breakwater-client --lib every_transaction_fits "$@"
measure breakwater-keeper --test=program posting:: "$@"
measure breakwater-cli --test=localnet a_price_at_hermes "$@"
mkdir -p target
awk '
  { value[$1] = $2 > value[$1] + 0 ? $2 : value[$1] }
  END {
    ok = value["looks_to_clear"] > 0 && value["looks_to_clear"] <= 3
    ok = ok && value["silent_alert_s"] > 0 && value["silent_alert_s"] <= 30
    ok = ok && value["tx_bytes_max"] > 0 && value["tx_bytes_max"] <= 1232 && value["p95_s"] > 0
    printf "{"
    split("looks_to_clear silent_alert_s tx_bytes_max cu lamports p50_s p95_s", names, " ")
    for (i = 1; i in names; i++) printf "\"%s\": %s, ", names[i], value[names[i]]
    printf "\"ok\": %s}\n", ok ? "true" : "false"
    exit !ok
  }' "$figures" > target/pyth.json || { cat target/pyth.json; exit 1; }
echo "target/pyth.json: $(<target/pyth.json)"
