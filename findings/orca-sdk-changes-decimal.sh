#!/usr/bin/env bash
# @orca-so/whirlpools-sdk 0.22.0 beside decimal.js 10.6.0 in one program.
#
# Expected: importing an exchange's SDK changes nothing of another library. decimal.js documents its defaults: 20
#   significant digits, ROUND_HALF_UP, exponents from 1e21.
# Happens: the import alone sets the shared Decimal to 40 digits, to ROUND_DOWN, and to exponents from 1e40, for every
#   module that resolves to the same copy: 2/3 ends in 6, $1.999 is shown and rounded as 1.99.
# Matters: the same code rounds a debt half up in its unit tests and down in the keeper that also swaps on Orca, and
#   which of the two depends on the order of imports. What is rounded down must not be what a borrower owes. A copy
#   of one's own, Decimal.clone(), is safe.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
  @orca-so/whirlpools-sdk@0.22.0 @orca-so/common-sdk@0.7.0 decimal.js@10.6.0 \
  @coral-xyz/anchor@0.32.1 @solana/web3.js@1.98.4 @solana/spl-token@0.4.15 > install.log 2>&1 || { cat install.log; exit 1; }
cat > run.cjs <<'JS'
const assert = require("node:assert/strict");
const Decimal = require("decimal.js");
const figures = () => ({
  "2/3": new Decimal(2).div(3).toString(),
  "1.999 to cents": new Decimal("1.999").toFixed(2),
  "debt of 1000000.5 atoms": new Decimal("1000000.5").toFixed(0),
  "1e21": new Decimal("1e21").toString(),
});
const Own = Decimal.clone();
const before = figures();
require("@orca-so/whirlpools-sdk");
const after = figures();
console.log("decimal.js 10.6.0, before and after importing @orca-so/whirlpools-sdk 0.22.0");
console.table(Object.fromEntries(Object.keys(before).map((key) => [key, { before: before[key], after: after[key] }])));
assert.deepEqual(Object.values(before), ["0.66666666666666666667", "2.00", "1000001", "1e+21"]);
assert.deepEqual(Object.values(after), [`0.${"6".repeat(40)}`, "1.99", "1000000", "1000000000000000000000"]);
assert.equal(new Own("1.999").toFixed(2), "2.00", "a clone is left alone");
JS
node run.cjs 2> /dev/null || { node run.cjs; exit 1; }
