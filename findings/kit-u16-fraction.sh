#!/usr/bin/env bash
# @solana/kit 8.4.0: number codecs, and what they do with a number that is no integer.
#
# Expected: one rule for all. Its documentation calls all ten "codecs for integers"; out of range they all throw, and
#   u64, i64, u128 and i128 throw for a fraction.
# Happens: u8, u16, u32 and their signed ones cut the fraction off without an error. A ratio of 57% in basis points
#   is 0.57 * 10000 = 5699.999999999999 in JavaScript: as u64 it is refused, as u16 it is 5699.
# Matters: rates, thresholds and fees of lending programs are u16 basis points, and kit is what clients are
#   generated onto. Of the 10001 percentages with two decimals 573 are encoded one point too low; a form that
#   shows "57%" sets 56.99%, or removes a threshold that another setting must not exceed by one. Math.round first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @solana/kit@8.4.0
cat > run.mjs <<'JS'
import assert from "node:assert/strict";
import * as kit from "@solana/kit";
console.log("@solana/kit 8.4.0");
const ratio = 0.57 * 10000;
function through(codec) {
  try {
    return String(codec.decode(codec.encode(ratio)));
  } catch (error) {
    return `throws: ${error.message}`;
  }
}
const results = {};
for (const name of ["U16", "I16", "U32", "I32", "U64", "I64", "U128", "I128"]) results[name] = through(kit[`get${name}Codec`]());
console.log(`0.57 * 10000 = ${ratio}`);
console.table(results);
for (const name of ["U16", "I16", "U32", "I32"]) assert.equal(results[name], "5699");
for (const name of ["U64", "I64", "U128", "I128"]) assert.match(results[name], /^throws/);
assert.throws(() => kit.getU16Encoder().encode(65536), "out of range it does throw");
const u16 = kit.getU16Codec();
let wrong = 0;
for (let points = 0; points <= 10000; points++) if (u16.decode(u16.encode((points / 10000) * 10000)) !== points) wrong++;
console.log(`(points / 10000) * 10000 as u16 is not what it was for ${wrong} of 10001`);
assert.equal(wrong, 573);
JS
node run.mjs
