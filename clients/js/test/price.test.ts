import assert from "node:assert/strict";
import { test } from "node:test";
import { showAmount, showPrice } from "breakwater-client";

const SOL_USDC = { collateralDecimals: 9, quoteDecimals: 6 };

test("prices are shown in whole tokens, rounded to nearest", () => {
  // 100 USDC for a SOL is a tenth of a quote atom for a collateral atom, rounded down in Q64.64.
  const price = (1n << 64n) / 10n;
  assert.equal(showPrice(price, SOL_USDC), "100.000000");
  assert.equal(showPrice(price, SOL_USDC, 0), "100");
  assert.equal(showPrice(price / 100_000n, SOL_USDC, 2), "0.00");
  assert.equal(showPrice(price / 10_000n, SOL_USDC, 2), "0.01");
  assert.equal(showPrice(price, { collateralDecimals: 6, quoteDecimals: 9 }, 4), "0.0001");
});

test("amounts are shown in whole tokens, cut off", () => {
  assert.equal(showAmount(1_234_567n, 6), "1.234567");
  assert.equal(showAmount(1_239_567n, 6, 2), "1.23");
  assert.equal(showAmount(5n, 6), "0.000005");
  assert.equal(showAmount(5n, 0), "5");
  assert.equal(showAmount(7_999_999n, 6, 0), "7");
  assert.equal(showAmount(-1_239_567n, 6, 2), "-1.23");
  assert.equal(showAmount(-5n, 6), "-0.000005");
});
