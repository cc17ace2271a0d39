#!/usr/bin/env bash
# @raydium-io/raydium-sdk-v2 0.2.73-alpha: new TokenAmount(token, text, false), an amount in whole tokens.
#
# Expected: "-1.5" USDC is -1500000 atoms, as -1500000 given raw is shown as -1.5.
# Happens: the text is cut at the point and the halves are parsed apart, so the sign is of the whole part only:
#   -1000000 + 500000. "-0.5" has no sign left at all and is plus half a token. No error.
# Matters: profit and loss, a change of a position, interest paid out: a keeper that books "-0.5" with it books a
#   gain, and is wrong by twice the fraction on every other negative amount.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
  @raydium-io/raydium-sdk-v2@0.2.73-alpha > install.log 2>&1 || { cat install.log; exit 1; }
cat > run.cjs <<'JS'
const assert = require("node:assert/strict");
const { Token, TokenAmount } = require("@raydium-io/raydium-sdk-v2");
console.log("@raydium-io/raydium-sdk-v2", require("@raydium-io/raydium-sdk-v2/package.json").version);
const usdc = new Token({ mint: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", decimals: 6, symbol: "USDC" });
const parsed = (text) => new TokenAmount(usdc, text, false).toExact();
for (const text of ["1.5", "-1", "-1.5", "-0.5", "-2.999999"]) console.log(`"${text}" is parsed as`, parsed(text));
assert.equal(parsed("1.5"), "1.5");
assert.equal(parsed("-1"), "-1");
assert.equal(new TokenAmount(usdc, -1500000).toExact(), "-1.5", "raw, a negative amount is right");
assert.equal(parsed("-1.5"), "-0.5");
assert.equal(parsed("-0.5"), "0.5");
assert.equal(parsed("-2.999999"), "-1.000001");
JS
node run.cjs 2> /dev/null || { node run.cjs; exit 1; }
