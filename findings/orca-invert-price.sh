#!/usr/bin/env bash
# @orca-so/whirlpools-core 3.1.0: invertPrice(price, decimalsA, decimalsB).
#
# Expected: its documentation says "Invert a price", so 150 USDC for a SOL (9 and 6 decimals) gives 1/150 = 0.006667.
# Happens: 6667.23. The price is made a tick with the decimals of A over B, the tick is negated, and the negated tick,
#   now of B over A, is made a price with the decimals in the old order: off by 10^(2 * (9 - 6)) = a million. With
#   equal decimals it is right only to the width of a tick: 1/2 gives 0.50004, though no tick was asked for.
# Matters: whoever prices collateral in the borrowed token by inverting a pool's price gets a number that is a
#   million times too large for SOL and USDC, and right enough in tests where both have 6 decimals.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @orca-so/whirlpools-core@3.1.0
cat > run.cjs <<'JS'
const assert = require("node:assert/strict");
const { invertPrice, tickIndexToPrice, priceToTickIndex } = require("@orca-so/whirlpools-core");
const { version } = JSON.parse(require("node:fs").readFileSync("node_modules/@orca-so/whirlpools-core/package.json"));
console.log("@orca-so/whirlpools-core", version);
const show = (price, a, b) => {
  const got = invertPrice(price, a, b);
  const times = (got * price).toPrecision(5);
  console.log(`invertPrice(${price}, ${a}, ${b}) = ${got}; 1/${price} = ${1 / price}; too large by ${times}`);
  return got * price;
};
const near = (got, factor) => assert.ok(Math.abs(got / factor - 1) < 0.001, `${got} is not about ${factor}`);
near(show(150, 9, 6), 1e6);
near(show(150, 6, 9), 1e-6);
near(show(60000, 8, 6), 1e4);
near(show(2, 6, 6), 1);
assert.notEqual(invertPrice(2, 6, 6), 0.5);
// The two conversions that it is made of are right.
near(tickIndexToPrice(priceToTickIndex(150, 9, 6), 9, 6), 150);
JS
node run.cjs
