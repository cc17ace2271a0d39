#!/usr/bin/env bash
# @jup-ag/lend 0.0.107 (Jupiter Lend): getRatioAtTick and getTickAtRatio.
#
# Expected: a position's debt per collateral is kept as a tick, a power of 1.0015, so the tick at the ratio of tick t is
#   t; at least the highest tick whose ratio, by the same SDK, is not above the one asked for.
# Happens: for 23,796 of its 32,766 ticks the answer is t - 1. Of tick 100 or 1000 not even a ratio that is two units
#   larger reaches the tick: the two functions do not agree on where a tick begins.
# Matters: whoever reads a tick, computes with its ratio and goes back, as a liquidator that looks for the next tick
#   with debt or a monitor that compares positions does, lands on the neighbour: another bucket of positions, and a
#   ratio of debt that is 0.15% lower.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @jup-ag/lend@0.0.107 > install.log 2>&1 ||
  { cat install.log; exit 1; }
cat > run.mjs <<'JS'
import assert from "node:assert/strict";
import { getRatioAtTick, getTickAtRatio, MAX_TICK, MIN_TICK } from "@jup-ag/lend/borrow";
console.log("@jup-ag/lend 0.0.107, ticks", MIN_TICK, "to", MAX_TICK);
let wrong = 0;
for (let tick = MIN_TICK; tick < MAX_TICK; tick++) if (getTickAtRatio(getRatioAtTick(tick)) !== tick) wrong++;
console.log("ticks that do not come back:", wrong, "of", MAX_TICK - MIN_TICK);
assert.equal(wrong, 23796);
for (const tick of [-3, -1, 0, 1, 100, 1000]) {
  const ratio = getRatioAtTick(tick);
  console.log(`tick ${tick}: ratio ${ratio} -> tick ${getTickAtRatio(ratio)}; ratio + 2 -> tick ${getTickAtRatio(ratio.addn(2))}`);
}
assert.equal(getTickAtRatio(getRatioAtTick(-3)), -4);
// The ratio of tick 1000, by the SDK itself, is not above what was asked for, and the answer is below it all the same.
assert.equal(getTickAtRatio(getRatioAtTick(1000).addn(2)), 999);
JS
node run.mjs 2> /dev/null || { node run.mjs; exit 1; }
