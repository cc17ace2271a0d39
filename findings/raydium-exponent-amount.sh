#!/usr/bin/env bash
# @raydium-io/raydium-sdk-v2 0.2.73-alpha: toBN, toFraction, toTokenPrice.
#
# Expected: the declared argument is BN, string, number or bigint, so the number 0.0000005 with 9 decimals is 500 atoms.
# Happens: a number is first made text, JavaScript writes one under a millionth as "5e-7", and the parser reads the
#   leading "5" and drops the rest: 5 whole tokens, ten million times too much. No error. A decimal.js value too.
# Matters: dust amounts, prices of memecoins, and every difference of two nearly equal prices come as such numbers. A
#   keeper that sizes an order or a minimum output from one of them is wrong by the power of ten that was dropped.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
  @raydium-io/raydium-sdk-v2@0.2.73-alpha decimal.js@10.6.0 > install.log 2>&1 || { cat install.log; exit 1; }
cat > run.cjs <<'JS'
const assert = require("node:assert/strict");
const { toBN, toFraction, toTokenPrice, Token } = require("@raydium-io/raydium-sdk-v2");
const Decimal = require("decimal.js");
console.log("@raydium-io/raydium-sdk-v2", require("@raydium-io/raydium-sdk-v2/package.json").version);
const atoms = (value) => toBN(value, 9).toString();
for (const [text, value] of [["0.000005", 0.000005], ["0.0000005", 0.0000005]]) {
  console.log(`toBN(${text}, 9) of a number = ${atoms(value)} atoms; of the text = ${atoms(text)} atoms`);
}
assert.equal(atoms(0.000005), "5000");
assert.equal(atoms("0.0000005"), "500", "written out it is right");
assert.equal(atoms(0.0000005), "5000000000", "five tokens for half a millionth of one");

const fraction = toFraction(0.0000001).toFixed(7);
console.log("toFraction(0.0000001) =", fraction);
assert.equal(fraction, "1.0000000");

const token = new Token({ mint: "So11111111111111111111111111111111111111112", decimals: 9, symbol: "SOL" });
const price = (numberPrice) => toTokenPrice({ token, numberPrice }).raw.toFixed(18);
console.log("toTokenPrice of decimal.js 0.00000005 equals that of 5:", price(new Decimal("0.00000005")) === price(5));
assert.equal(price(new Decimal("0.00000005")), price(5), "the price of a memecoin is that of 5");
assert.notEqual(price("0.00000005"), price(5));
JS
node run.cjs 2> /dev/null || { node run.cjs; exit 1; }
