#!/usr/bin/env bash
# @drift-labs/sdk 2.156.0: BigNum.toRounded, and toPrecision(n, _, true) and toFixed(n, true), which call it.
#
# Expected: 0.999999 to two digits is 1.0, and -1.5 to two is -1.5.
# Happens: it adds the carry to the number and cuts the digits of the sum at the old length. Where the carry makes one
#   digit more, all is ten times too small: 0.1, and 999999.999999 is 100000. The minus sign counts as a digit, and
#   the carry is added upwards, so -1.5 is -5. toFixed(2, true) asks for decimals and rounds to two digits in all:
#   123.456789 is "120.00".
# Matters: a stablecoin's price, a utilization or a health just below one are what dashboards and alarms of a lending
#   protocol show rounded; 0.999999 shown as 0.1 looks like a crash of the peg.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @drift-labs/sdk@2.156.0 > install.log 2>&1 ||
  { cat install.log; exit 1; }
cat > run.cjs <<'JS'
const assert = require("node:assert/strict");
const { BigNum, BN } = require("@drift-labs/sdk");
console.log("@drift-labs/sdk", require("@drift-labs/sdk/package.json").version);
const usdc = (atoms) => BigNum.from(new BN(atoms), new BN(6));
for (const [atoms, expected, got] of [
  [1240000, "1.200000", "1.200000"],
  [123456789, "120.000000", "120.000000"],
  [999999, "1.000000", "0.100000"],
  [999999999999, "1000000.000000", "100000.000000"],
  [-1500000, "-1.500000", "-5.000000"],
  [-123456789, "-120.000000", "-100.000000"],
]) {
  const rounded = usdc(atoms).toRounded(2).print();
  console.log(`${usdc(atoms).print()} to two digits: ${rounded}, expected ${expected}`);
  assert.equal(rounded, got);
}
const fixed = usdc(123456789).toFixed(2, true);
console.log("123.456789 toFixed(2, rounded):", fixed, "and toFixed(2):", usdc(123456789).toFixed(2));
assert.equal(fixed, "120.00");
JS
node run.cjs 2> /dev/null || { node run.cjs; exit 1; }
